"""HTTP out: metrics and health. Reads, never writes."""
