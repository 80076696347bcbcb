"""The command `audit-receiver`; one file a command; the only code that prints."""
