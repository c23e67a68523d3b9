"""Workspaces: what Parea's clients call a project, to group logs and experiments by name."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A named group of logs and experiments inside a project."""

    id: str  # UUID
    name: str
    created_at: float  # Unix seconds
