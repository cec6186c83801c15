"""What the project is measured against; each module runs as a script, with packages of its own."""
