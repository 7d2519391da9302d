"""TOML files -> model. An entry is a directory with a `system.toml` or `workload.toml` in it."""

from harness.catalogue.entry import choose
from harness.catalogue.experiments import load_claims, load_experiments
from harness.catalogue.outside import check_folders, entries, experiment_folders
from harness.catalogue.systems import load_systems, read_system
from harness.catalogue.workloads import load_workloads, read_units, read_workload

__all__ = [
    "check_folders",
    "choose",
    "entries",
    "experiment_folders",
    "load_claims",
    "load_experiments",
    "load_systems",
    "load_workloads",
    "read_system",
    "read_units",
    "read_workload",
]
