"""Gist's wire formats."""
