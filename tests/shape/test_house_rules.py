"""Rules that reviewers would otherwise have to remember."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import app.core.shelves
import app.store
from app.core import errors
from app.core.errors import AppError
from app.settings import Settings

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
WITHOUT_CALLER = {  # a store method that names no caller, and why it cannot
    "KeyStore.find": "a key is how a caller comes to be known",
    "CorpusStore.start": "a job engine knows ids only; the job's row says whose it is",
    "CorpusStore.task": "as start",
    "CorpusStore.save_text": "a Task carries its caller",
    "CorpusStore.batch": "as save_text",
    "CorpusStore.progress": "as save_text",
    "CorpusStore.publish": "as save_text",
    "CorpusStore.fail": "as start",
    "CorpusStore.refill": "the word index holds all projects",
}
PRIVATE = re.compile(
    r"(?<![\w/.~])/(?:work|opt|root|home|tmp|Users|mnt)/[\w.]|pypi\.org/simple|registry\.npmjs|artifactory"
)
ALLOWED_PATHS = {"tests/shape/test_house_rules.py"}


def tracked(*suffixes: str) -> list[Path]:
    """The files git knows, so that what tools leave behind does not count."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def stores() -> Iterator[type]:
    for found in pkgutil.iter_modules(app.store.__path__, "app.store."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if inspect.isclass(value) and name.endswith("Store") and value.__module__ == module.__name__:
                yield value


def methods(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, value in vars(kind).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            yield f"{kind.__name__}.{name}", value


def first_parameter(method: Callable[..., object]) -> str | None:
    names = list(inspect.signature(method).parameters)
    return names[1] if len(names) > 1 else None


def test_no_python_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in tracked(".py")
        if "migrations" not in path.parts and (count := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_every_store_method_takes_the_caller_first() -> None:
    without = {name for store in stores() for name, method in methods(store) if first_parameter(method) != "caller"}
    assert without == set(WITHOUT_CALLER)


def test_every_shelf_takes_the_caller_first() -> None:
    shelves = [
        each for each in vars(app.core.shelves).values() if inspect.isclass(each) and each.__name__.endswith("Shelf")
    ]
    assert len(shelves) >= 8
    assert {
        name for shelf in shelves for name, method in methods(shelf) if first_parameter(method) != "caller"
    } == set()


def error_classes() -> list[type[AppError]]:
    return [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, AppError)]


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: str(error.__name__))
def test_every_error_says_what_happened_with_its_own_status_and_code(error: type[AppError]) -> None:
    assert "status" in vars(error) or error is errors.ModelNotFoundError
    assert 400 <= error.status <= 599
    assert re.fullmatch(r"[a-z_]+", vars(error)["code"])
    assert error().message == (error.__doc__ or "").strip().splitlines()[0]
    assert error().message.endswith(".") or error().message.endswith("`.")


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in error_classes()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_described_read_and_in_the_reference(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"`FOOTNOTE_{name.upper()}`" in (ROOT / "docs/reference/settings.md").read_text()
    readers = [path for path in tracked(".py") if path.parts[len(ROOT.parts)] == "app"]
    assert any(re.search(rf"\b(?:settings|self)\.{name}\b", path.read_text()) for path in readers)


def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_build", ROOT / "docs/reference/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "routes.md"])
def test_the_reference_pages_are_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs/reference" / name).read_text() == reference().PAGES[name]()


def test_nothing_names_a_path_of_somebodys_machine_or_a_registry() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked(".py", ".md", ".toml", ".sh", ".yml", ".yaml", ".json", ".mjs", ".cfg", "")
        if path.relative_to(ROOT).as_posix() not in ALLOWED_PATHS and "static" not in path.parts
        for match in PRIVATE.finditer(path.read_text(errors="replace"))
    }
    assert found == set()
