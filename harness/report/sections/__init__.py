"""A study -> the sections of the page, as text."""
