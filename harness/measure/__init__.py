"""Cells -> records: planned, built, booted, judged."""
