"""Reads and writes files, and reads Git history."""
