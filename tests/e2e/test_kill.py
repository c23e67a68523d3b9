"""kill -9 during an ingest: after each restart it goes on by itself, and nothing is missing or double."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.killing import kill_and_restart

DOCUMENTS, KILLS = 40, 6


def test_kill_at_seeded_points(tmp_path: Path) -> None:
    aftermath = kill_and_restart(tmp_path / "data", DOCUMENTS, KILLS, seed=1)
    assert aftermath.faults(DOCUMENTS) == []
    assert len(aftermath.sql) >= 5 * DOCUMENTS
