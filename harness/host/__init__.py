"""This host: its processes, its clock, what it is and has."""
