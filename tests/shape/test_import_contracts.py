"""Who may import whom, checked by import-linter; and each contract is seen to fail when it is broken once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

BROKEN = {  # contract: (a file, an import that may not stand in it)
    "ingest": ("ingest/text.py", "import app.core.types"),
    "core": ("app/core/fusion.py", "from ingest.indexes.exact import ExactIndex"),
    "dialects": ("app/dialects/prem/completions.py", "from app.store.keys import KeyStore"),
    "providers": ("app/providers/extractive.py", "from app.store.engine import Database"),
    "store": ("app/store/chunks.py", "from app.providers.catalogue import Catalogue"),
    "api": ("app/api/jobs.py", "from app.store.jobs import JobStore"),
    "concrete": ("app/main.py", "from app.store.chunks import ChunkStore"),
    "bootstrap": ("app/bootstrap.py", "from app.api import health"),
    "pure": ("app/core/citing.py", "import sqlalchemy"),
    "pure-ingest": ("ingest/chunker.py", "import sqlite3"),
    "heavy": ("ingest/readers/text.py", "import torch"),
}
HEAVY = (
    "alembic",
    "any_llm",
    "chromadb",
    "dbos",
    "docx",
    "genai_prices",
    "onnx",
    "onnxruntime",
    "psycopg",
    "pypdfium2",
    "selectolax",
    "sentence_transformers",
    "tantivy",
    "tokenizers",
    "torch",
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on the packages in a folder, as `make check` does in the repository."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in ("app", "ingest"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static", "*.npz")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_every_contract_is_broken_below() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(BROKEN)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract["id"]))
def test_one_forbidden_import_fails_the_contract(copy: Path, contract: dict[str, str]) -> None:
    name, line = BROKEN[contract["id"]]
    path = copy / name
    path.write_text(path.read_text() + f"\n{line}\n")
    result = lint(copy)
    assert result.returncode == 1
    assert re.search(rf"^{re.escape(contract['name'])} BROKEN", result.stdout, re.MULTILINE), result.stdout


def test_every_room_is_a_package_the_linter_sees() -> None:
    folders = {path.parent for package in ("app", "ingest") for path in (ROOT / package).rglob("*.py")}
    without = {folder.relative_to(ROOT).as_posix() for folder in folders if not (folder / "__init__.py").is_file()}
    assert without <= {"app/store/migrations", "app/store/migrations/versions"}  # alembic runs these by path


@pytest.mark.parametrize("module", ["app.main", "app.cli.commands", "ingest.parse_worker"])
def test_importing_loads_no_heavy_package(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_importing_reads_no_environment(tmp_path: Path) -> None:
    code = (
        "import os, app.main, app.cli.commands\n"
        "from app.settings import Settings\n"
        "os.environ['FOOTNOTE_PORT'] = '4321'\n"
        "assert Settings().port == 4321\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "FOOTNOTE_PORT": "not a number"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == []
