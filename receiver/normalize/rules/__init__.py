"""Rules as data: packs, their patterns, records of fields, and which rules are tried for a message."""
