"""Is each part able to do its work; asked by `/v1/health` and `footnote doctor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part's answer; `detail` is for a person."""

    ok: bool
    detail: str


Check = Callable[[], str]  # blocking; returns a detail, raises when the part does not work


def examine(checks: Mapping[str, Check]) -> dict[str, PartHealth]:
    """Runs every check; one that raises is a part that does not work, whatever it raised."""
    found = {}
    for name, check in checks.items():
        try:
            found[name] = PartHealth(True, check())
        except Exception as error:
            found[name] = PartHealth(False, f"{type(error).__name__}: {error}")
    return found
