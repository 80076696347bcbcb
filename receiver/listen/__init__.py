"""Sockets, each: read → framer → intake → inbox. Knows no SQLite and no rule's content."""
