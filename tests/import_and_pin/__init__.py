"""Taking over what is live: import, pin, and what must never be deleted."""
