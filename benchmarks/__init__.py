"""Measures speed and cost side by side with other tools, and writes ``docs/test-reports/performance.md``."""
