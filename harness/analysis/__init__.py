"""Records -> data frames, verdicts, differences. Pure functions; nothing here starts a machine."""
