"""`python -m harness`: calls the command line, nothing else."""

import gc
import sys

from harness.cli.main import main

# Thousands of records are a million objects, none of them part of a cycle.
gc.set_threshold(50_000)
sys.exit(main(sys.argv[1:]))
