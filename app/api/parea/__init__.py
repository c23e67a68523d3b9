"""Parea's routes."""
