"""Image -> running machine: the emulated PC, its monitor, its console, and how it stopped."""
