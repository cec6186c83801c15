"""Import, pin, and the protection of connections whose manifest was removed."""
