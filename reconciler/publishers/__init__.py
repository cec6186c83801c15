"""Publishers: where a report is shown besides the terminal: comments, labels, issues, job summaries.

`base` says what a forge must be able to do; one forge per file. What is published is text that was
rendered elsewhere.
"""
