"""Tests of the image's recipe: shell that runs in the build, so they run in the checks image."""
