"""One pipeline; no framework, no database, no vendor."""
