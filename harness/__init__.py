"""Rexen's harness: plans cells, boots machines, keeps records, renders the report."""
