"""asv's command line, which asks git once for each pair of nights rather than once for each number.

    python -m harness.tracking.asv_command publish ...

A renewed kernel moves hundreds of numbers between the same two nights; without this a year's site
takes minutes of git.
"""

from __future__ import annotations

import functools
import sys

from asv.main import main
from asv.plugins.git import Git

if __name__ == "__main__":
    Git.get_hashes_from_range = functools.cache(Git.get_hashes_from_range)
    sys.exit(main())
