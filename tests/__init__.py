"""The tests; folders that share modules are packages."""
