"""The page of compatibility: whole, true to the code, and every test that it names is there and asks what it says."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import errors
from app.core.errors import AppError
from app.dialects.errors import union_error
from tests.compatibility.contract import ENDPOINT, Endpoint, Row, contract, means, rows
from tests.compatibility.page import PAGE, REFUSING, page, proof_of, treatment_of
from tests.compatibility.treatments import Treatments

TESTS = Path(__file__).parents[1]
CONTRACT = contract()
TREATMENTS = Treatments()
EVERYTHING = (REFUSING,)  # asks of each field of the contract, without its name
DOCUMENTED = {  # read as it is printed, from a file beside the test
    "clients/test_document_000.py::test_the_stream_in_python",
    "clients/test_document_003.py::test_the_curl_of_document_003",
    "clients/test_documented_requests.py::test_the_curl_of_document_002",
    "clients/test_documented_requests.py::test_the_conversation_of_document_002",
    "clients/test_documented_requests.py::test_the_request_of_document_001",
    "clients/test_document_001.py::test_the_documented_scripts_print_the_same_answer",
    "clients/test_document_004.py::test_with_values_it_streams_an_answer",
}
SERVED_ALIASES = {"chatbot", "promptrun", "studio"}  # their requests are OpenAI's, whose contract names the rest


@functools.cache
def module(path: Path) -> tuple[dict[str, str], dict[str, Path]]:
    """Each name that a test module defines, with its source; each name it imports from the tests, with the module."""
    text = path.read_text()
    defined: dict[str, str] = {}
    imported: dict[str, Path] = {}

    def define(nodes: list[ast.stmt], outer: str) -> None:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                # With its decorators, which hold the cases
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                defined[outer + node.name] = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
            if isinstance(node, ast.ClassDef):
                define(node.body, f"{outer}{node.name}::")
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    for each in ast.walk(target):
                        if isinstance(each, ast.Name):
                            defined[outer + each.id] = ast.get_source_segment(text, node) or ""
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                found = TESTS.parent / f"{(node.module or '').replace('.', '/')}.py"
                imported.update({each.asname or each.name: found for each in node.names if found.exists()})

    define(ast.parse(text).body, "")
    return defined, imported


def said_by(path: Path, name: str, seen: set[tuple[Path, str]]) -> Iterator[str]:
    """The source of a name and of all test code that it uses."""
    defined, imported = module(path)
    if (path, name) in seen or not (name in defined or name in imported):
        return
    seen.add((path, name))
    if name not in defined:
        yield from said_by(imported[name], name, seen)
        return
    yield defined[name]
    tree = ast.parse(_dedented(defined[name]))
    used = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    used |= {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}  # fixtures
    for each in sorted(used):
        yield from said_by(path, each, seen)
        yield from said_by(path, f"{name.rpartition('::')[0]}::{each}", seen)


def _dedented(source: str) -> str:
    margin = len(source) - len(source.lstrip())
    return "\n".join(line[margin:] for line in source.splitlines())


def named() -> list[tuple[Endpoint, str, str]]:
    """(endpoint, field or ENDPOINT, test) of everything on the page."""
    found = []
    for endpoint in CONTRACT:
        whole = TREATMENTS.of_endpoint(endpoint)
        assert whole is not None, endpoint.key
        found.append((endpoint, ENDPOINT, proof_of(endpoint, ENDPOINT, whole)))
        for name in endpoint.fields:
            found.append((endpoint, name, proof_of(endpoint, name, treatment_of(TREATMENTS, endpoint, name))))
    return found


def test_the_page_is_what_the_contract_and_the_code_say() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.compatibility.page"


def test_every_test_that_is_named_is_there() -> None:
    tests = {test for _, _, test in named()} | {row.proof for name in ("errors", "streams") for row in rows(name)} - {
        ""
    }
    missing = [
        test for test in sorted(tests) if test.partition("::")[2] not in module(TESTS / test.partition("::")[0])[0]
    ]
    assert missing == []


def test_every_test_that_is_named_speaks_of_the_field() -> None:
    silent = []
    for endpoint, name, test in named():
        if name == ENDPOINT or name.startswith("path:") or test in (*EVERYTHING, *DOCUMENTED):
            continue
        file, _, function = test.partition("::")
        words = "\n".join(said_by(TESTS / file, function, set()))
        if name.rpartition(":")[2].rpartition(".")[2].lower() not in words.lower():
            silent.append(f"{endpoint.key}: {name}: {test}")
    assert silent == []


def test_every_pattern_means_something() -> None:
    idle = [
        f"{endpoint.key}: {test}: {pattern}"
        for endpoint in CONTRACT
        for test, patterns in endpoint.proofs
        for pattern in patterns
        if pattern != ENDPOINT and not any(means(pattern, name) for name in endpoint.fields)
    ]
    assert idle == []


def test_nothing_is_declared_that_the_contract_does_not_name() -> None:
    extra = [
        f"{endpoint.key}: {name}"
        for endpoint in CONTRACT
        if endpoint.fields and endpoint.vendor not in SERVED_ALIASES
        for name in TREATMENTS.declared(endpoint)
        if name not in endpoint.fields
    ]
    assert extra == []


def test_clients_are_named_only_where_one_makes_the_request() -> None:
    alone = [
        endpoint.key
        for endpoint, name, test in named()
        if name == ENDPOINT and bool(endpoint.clients) != test.startswith("clients/")
    ]
    assert alone == []


@pytest.mark.parametrize("row", [row for row in rows("errors") if row.vendor == "prem"], ids=lambda row: row.what)
def test_prems_errors_are_those_that_our_errors_become(row: Row) -> None:
    status, _, code = row.what.rpartition(" ")
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AppError)]
    sent = {(str(kind.status), union_error(kind())["code"]) for kind in kinds}
    assert bool(row.never) != ((status, code) in sent)
