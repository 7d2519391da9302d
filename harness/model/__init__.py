"""Frozen data types of the pipeline; no I/O, imported by every stage."""
