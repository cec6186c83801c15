"""Where results are kept: files that are replaced whole or not at all."""
