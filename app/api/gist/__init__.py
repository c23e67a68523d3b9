"""Gist's routes."""
