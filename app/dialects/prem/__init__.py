"""Prem's wire formats."""
