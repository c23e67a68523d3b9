"""What vendors' documents and clients ask of this service, read from `contract/*.txt`: one file a vendor.

```
POST /v1/chat = 200 | curl            a request, the status its clients need, the clients that make it here
  1.4: user_prompt thread_id          fields it may have, after the document that names them: one of the five source
                                      documents (000 to 004), a section of the contracts, or `ours`
  answer 1.4: turn_id title?          what its clients read of the answer; with ? it may be null
  never 2.7: details | why            what they do not find in it
  by api/test_gist.py::test_x: *      the test that proves these fields (`endpoint`: that the request is answered)
```

A field of a body is dotted where it stands inside another, whether or not a list lies between; others say where they
stand: `header:`, `query:`, `path:`, `multipart:`. The files are written from the documents and not from the code.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "contract"
ENDPOINT = "endpoint"
OURS = "ours"
VENDORS = {  # in the order of the source documents
    "gist": "Gist (ProRata)",
    "chatbot": "The chatbot",
    "promptrun": "Promptrun",
    "parea": "Parea",
    "prem": "Prem",
    "openai": "OpenAI",
    "studio": "Prem's Studio (premai 0.5 and newer)",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request that a vendor's clients make."""

    vendor: str
    method: str
    path: str
    status: int
    clients: str
    fields: dict[str, str] = field(default_factory=dict)  # name: source
    answer: dict[str, str] = field(default_factory=dict)
    never: dict[str, str] = field(default_factory=dict)  # name: why
    proofs: list[tuple[str, list[str]]] = field(default_factory=list)  # test, patterns of fields

    @property
    def key(self) -> str:
        return f"{self.vendor} {self.method} {self.path}"

    def proof(self, name: str) -> str | None:
        """The test of a field, or of ENDPOINT: that of the longest pattern which means it; None where none does."""
        found = [(len(pattern), test) for test, patterns in self.proofs for pattern in patterns if means(pattern, name)]
        return max(found)[1] if found else None


def means(pattern: str, name: str) -> bool:
    """Is this field (or ENDPOINT, which no pattern but its name means) one of the pattern's?"""
    return pattern == name if ENDPOINT in (pattern, name) else fnmatch.fnmatchcase(name, pattern)


def contract() -> list[Endpoint]:
    """Every request of every vendor."""
    return [endpoint for vendor in VENDORS for endpoint in _read(vendor)]


@dataclass(frozen=True, slots=True)
class Row:
    """An error or a stream's grammar: the test that shows it, or why it is never sent."""

    vendor: str
    what: str
    proof: str = ""
    never: str = ""


def rows(name: str) -> list[Row]:
    """The lines of `contract/<name>.txt`: `vendor what = test`, or `vendor what = never: why`."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        head, _, told = line.partition(" = ")
        vendor, _, what = head.partition(" ")
        never = told.removeprefix("never: ")
        found.append(Row(vendor, what, never=never) if never != told else Row(vendor, what, proof=told))
    return found


def _read(vendor: str) -> list[Endpoint]:
    found: list[Endpoint] = []
    for line in (FOLDER / f"{vendor}.txt").read_text().splitlines():
        if not line.startswith("  "):
            request, _, clients = line.partition(" | ")
            head, _, status = request.partition(" = ")
            method, _, path = head.partition(" ")
            found.append(Endpoint(vendor, method, path, int(status), clients))
            continue
        head, _, names = line.strip().partition(": ")
        if head.startswith("by "):
            found[-1].proofs.append((head.removeprefix("by "), names.split()))
        elif head.startswith("never "):
            names, _, why = names.partition(" | ")
            found[-1].never.update(dict.fromkeys(names.split(), why))
        elif head.startswith("answer "):
            found[-1].answer.update(dict.fromkeys(names.split(), head.removeprefix("answer ")))
        else:
            found[-1].fields.update(dict.fromkeys(names.split(), head))
    return found
