"""SQLite, and only here: segments, the writer, sealing, readers. Knows no socket and no listener."""
