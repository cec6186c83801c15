"""Gathers input, calls the core and acts on its result: the only package that combines I/O with the core."""
