"""Prem's routes."""
