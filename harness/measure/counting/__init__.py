"""What a cell executes, counted by a plugin of the emulator while the cell runs as always."""
