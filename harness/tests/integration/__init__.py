"""Tests that need a program of the machine: a browser, an engine, QEMU. All are marked."""
