"""What asv finds as its benchmarks; asv imports this folder as a package of its own."""
