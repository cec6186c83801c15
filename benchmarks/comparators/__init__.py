"""Programs that the project is measured against; each runs as a script in its own environment."""
