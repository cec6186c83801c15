"""Attacks by the author of a pull request, one test for each input; none of them may have an effect."""
