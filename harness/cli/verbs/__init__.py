"""One module a verb: its options in `add`, what it does in a function of keyword arguments.

A verb is read at every start of the program, so what is slow to import (the engine, pandas, the
report) is imported inside its function.
"""

from __future__ import annotations

from harness.cli.verbs import (
    artifact,
    build,
    console,
    count,
    diff,
    doctor,
    export,
    image,
    list_catalogue,
    lock,
    nightly,
    plan,
    publish,
    readme,
    reference,
    report,
    reproduce,
    run,
    shell,
    verify,
)

VERBS = (
    doctor,
    list_catalogue,
    build,
    plan,
    run,
    verify,
    count,
    report,
    reproduce,
    publish,
    diff,
    console,
    export,
    shell,
    image,
    lock,
    reference,
    readme,
    nightly,
    artifact,
)
