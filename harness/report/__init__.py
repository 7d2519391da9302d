"""Data frames and verdicts -> files: the page, its figures, the exported data."""
