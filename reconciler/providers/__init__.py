"""The services that store connections, each behind the same protocol."""
