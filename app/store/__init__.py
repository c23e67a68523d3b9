"""Rows: SQL is the truth, everything else is derived from it and can be rebuilt."""
