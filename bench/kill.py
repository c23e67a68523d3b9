"""What kill -9 costs an ingest: `python -m bench.kill [--documents 200] [--kills 20] [--seed 1]`.

Uploads documents to the real service, kills it at seeded points of the ingest and starts it again each time. Then it
compares the chunks of SQL, of Chroma and of the word index id by id. Exits 1 when anything is missing or double.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.killing import kill_and_restart


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embedder", default="hashing", help="a model takes longer; the stores are the same")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        after = kill_and_restart(
            Path(folder) / "data", given.documents, given.kills, given.seed, EMBEDDER=given.embedder
        )
    print(f"documents {given.documents}, kills {given.kills}, seed {given.seed}: {time.monotonic() - began:.0f} s")
    print(f"jobs      {dict(after.states)}")
    print(f"chunks    SQL {len(after.sql)}, Chroma {len(after.vectors)}, words {len(after.words)}", end=", ")
    print(f"of no published version {after.unpublished}")
    print(f"restart   p50 {statistics.median(after.restarts_s):.1f} s, longest {max(after.restarts_s):.1f} s")
    faults = after.faults(given.documents)
    print("\n".join(f"FAULT     {fault}" for fault in faults) or "nothing is missing, nothing is double")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
