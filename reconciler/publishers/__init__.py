"""Publishes rendered reports as comments, labels, issues and job summaries.

`forge` says what a forge must be able to do; one forge per file.
"""
