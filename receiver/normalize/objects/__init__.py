"""JSON, structured data and Windows' XML: what stands around an event, and from a value to a column."""
