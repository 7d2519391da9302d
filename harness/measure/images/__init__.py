"""From a bare host to an image with everything a cell needs in it."""
