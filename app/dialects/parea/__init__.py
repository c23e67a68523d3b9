"""Parea's wire formats."""
