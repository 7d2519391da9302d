"""Figures as SVG text, drawn without knowing the page's colours."""
