"""Ring 1: no container engine, no QEMU, no root, no network."""
