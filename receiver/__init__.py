"""audit-receiver: who did what, on what, when, from where, and did it succeed."""

__version__ = "0.1.0.dev0"
