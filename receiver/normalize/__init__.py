"""Message → Event: who did what, on what, from where, with what outcome. No I/O beyond reading its packs."""
