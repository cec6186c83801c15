"""Publishes rendered reports: comments, labels, issues, job summaries.

`forge` says what a forge must be able to do; one forge per file.
"""
