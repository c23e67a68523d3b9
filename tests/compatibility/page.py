"""Writes docs/compatibility.md: `python -m tests.compatibility.page`. A test compares the file with this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.dialects.support import Support, Treatment
from tests.compatibility.contract import ENDPOINT, OURS, VENDORS, Endpoint, Row, contract, rows
from tests.compatibility.treatments import Treatments

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/compatibility.md"
REFUSING = "api/test_contract.py::test_wrong_values_and_refusals"
ABSENT = "api/test_contract.py::test_what_is_not_offered_says_why"
SOURCES = {
    "000": "document 000, Gist's quick start",
    "001": "document 001, the chatbot",
    "002": "document 002, Promptrun's completions",
    "003": "document 003, Parea's stream",
    "004": "document 004, Prem's completions",
}
CONTRACTS = "the vendors' other documents and clients"
HEAD = """# Compatibility

What becomes of every endpoint and every field that the vendors' documents name and their clients send: **honoured**,
**passed** on to the model's provider, or **refused** by name with the reason. Nothing is accepted and ignored:
`tests/api/test_contract.py` sends each field values that it cannot have, and each must be refused for it or be seen by
the model. The last column is the test that shows what the field does.

This page is made by `python -m tests.compatibility.page` from `tests/compatibility/contract` (what the documents say)
and from the dialects and routes (what is done); a test compares them. Fields that no document names are not read, as
vendors' clients need: new SDKs send fields of their own. Neither are headers by which an SDK tells its version
(`x-sdk-*`, `X-Stainless-*`, `OpenAI-Beta`)."""


def page() -> str:
    """The whole page."""
    endpoints, treatments = contract(), Treatments()
    parts = [HEAD, _totals(endpoints, treatments)]
    for vendor, title in VENDORS.items():
        mine = [each for each in endpoints if each.vendor == vendor]
        parts += [f"## {title}", _endpoints(mine, treatments)]
        parts += [_fields(each, treatments) for each in mine if each.fields or each.never]
        for name, column in (("errors", "Error"), ("streams", "Stream")):
            if found := [row for row in rows(name) if row.vendor == vendor]:
                parts.append(_table((column, "Sent", "Proof"), map(_row, found)))
    return "\n\n".join(parts) + "\n"


def treatment_of(treatments: Treatments, endpoint: Endpoint, name: str) -> Support:
    """A field's treatment, which must be declared."""
    found = treatments.of_field(endpoint, name)
    assert found is not None, f"{endpoint.key}: nothing is declared of `{name}`"
    return found


def proof_of(endpoint: Endpoint, name: str, support: Support) -> str:
    """The test of a field or endpoint, which there must be."""
    found = endpoint.proof(name)
    if found is None and support.treatment is Treatment.REFUSED:
        found = ABSENT if name == ENDPOINT else REFUSING
    assert found is not None, f"{endpoint.key}: no test shows `{name}`"
    return found


def _totals(endpoints: Sequence[Endpoint], treatments: Treatments) -> str:
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*SOURCES.values(), CONTRACTS)}
    served: Counter[str] = Counter()
    for endpoint in endpoints:
        found = treatments.of_endpoint(endpoint)
        assert found is not None, f"{endpoint.key}: no route"
        served[found.treatment] += 1
        for name, source in endpoint.fields.items():
            if source != OURS:
                counts[SOURCES.get(source, CONTRACTS)][treatment_of(treatments, endpoint, name).treatment] += 1
    counts["all"] = sum(counts.values(), Counter())
    columns = [*Treatment]
    lines = [
        (name, *(str(count[each]) for each in columns), str(count.total()))
        for name, count in [*counts.items(), ("endpoints", served)]
    ]
    return _table(("Fields of", *(each.value for each in columns), "total"), lines)


def _endpoints(endpoints: Sequence[Endpoint], treatments: Treatments) -> str:
    lines = []
    for endpoint in endpoints:
        found = treatments.of_endpoint(endpoint)
        assert found is not None, f"{endpoint.key}: no route"
        proof = _link(proof_of(endpoint, ENDPOINT, found))
        lines.append((f"`{endpoint.method} {endpoint.path}`", found.treatment, found.note, endpoint.clients, proof))
    return _table(("Endpoint", "Treatment", "What it does, or why not", "Clients", "Proof"), lines)


def _fields(endpoint: Endpoint, treatments: Treatments) -> str:
    lines = []
    for name, source in endpoint.fields.items():
        found = treatment_of(treatments, endpoint, name)
        lines.append((f"`{name}`", source, found.treatment, found.note, _link(proof_of(endpoint, name, found))))
    title = f"### `{endpoint.method} {endpoint.path}`"
    parts = [title, _table(("Field", "Source", "Treatment", "What is done with it", "Proof"), lines)]
    if endpoint.answer:
        parts.append(f"Answers with {', '.join(f'`{name}`' for name in endpoint.answer)} (`?`: or null).")
    if endpoint.never:
        parts += [f"Answers without `{name}`: {why}." for name, why in endpoint.never.items()]
    return "\n\n".join(parts)


def _row(row: Row) -> tuple[str, ...]:
    return (row.what, "no" if row.never else "yes", row.never or _link(row.proof))


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.rpartition('::')[2].removeprefix('test_')}](../tests/{file})"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = "|".join("---" for _ in head)
    written = [f"| {' | '.join(each.replace('|', '&#124;') for each in line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *written])


if __name__ == "__main__":
    PAGE.write_text(page())
