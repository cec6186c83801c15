"""Services that hold connections, each behind the same protocol."""
