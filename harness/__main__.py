"""`python -m harness`: calls the command line, nothing else."""

import sys

from harness.cli.main import main

sys.exit(main(sys.argv[1:]))
