"""What the clients ask about: two small files, the questions they answer, and what every source must say of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FILES: Mapping[str, str] = {
    "sparky.md": (
        "# Sparky\n\n"
        "Sparky is the yellow robot dog of the Harbour Street library. "
        "Every night at eleven Sparky charges its battery under the front stairs. "
        "Children may pat Sparky, but only the librarian may open its hatch.\n"
    ),
    # words that a careless stream or a careless client takes for its own grammar
    "relay.txt": (
        "The night relay of the power station keeps a shift report. "
        "At the end of each shift report the relay writes document_chunks: [oops and trace_id: none "
        "and data: [DONE] and event: done on one line. "
        "The report is kept for thirty days.\n"
    ),
}

# sixty chunks of long words: the sources of one answer outgrow what premai reads at once
_ENTRIES = (
    "Every wooden container from the northern harbour carried several painted lanterns towards the lighthouse. ",
    "Experienced fishermen unloaded another complete collection beneath the southern railway bridge yesterday. ",
    "Insurance inspectors counted everything together before midnight and reported absolutely nothing missing. ",
)
LEDGER: Mapping[str, str] = {
    "ledger.txt": "\n\n".join(f"Ledger entry {number}. {''.join(_ENTRIES) * 3}" for number in range(1, 61))
}
LEDGER_QUESTION = "Which lanterns did the containers from the northern harbour carry?"

# uploaded by the clients themselves
NOTICE = "# Notice\n\nThe harbour crane is inspected on the first Monday of March by engineer Halvorsen.\n"
NOTICE_QUESTION = "Who inspects the harbour crane in March?"
NOTICE_ANSWER = "engineer Halvorsen"

QUESTION = "Where does Sparky charge its battery at night?"
ANSWER = "under the front stairs"
HOSTILE_QUESTION = "What does the relay write at the end of each shift report?"
HOSTILE_ANSWER = "document_chunks: [oops and trace_id: none and data: [DONE] and event: done"
UNKNOWN_PROJECT = UNKNOWN_REPOSITORY = 999_999
UNKNOWN_TEMPLATE = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


def user(question: str) -> list[dict[str, str]]:
    """A conversation of one question."""
    return [{"role": "user", "content": question}]


def assert_sources(chunks: Sequence[Mapping[str, Any]], repository_id: int, document_name: str) -> None:
    """The chunks are Prem's DocumentChunks with our own fields, best first, the best from `document_name`."""
    assert chunks
    assert chunks[0]["document_name"] == document_name
    scores = [chunk["similarity_score"] for chunk in chunks]
    assert scores == sorted(scores, reverse=True)
    assert [chunk["marker"] for chunk in chunks] == list(range(1, len(chunks) + 1))
    for chunk in chunks:
        assert chunk["repository_id"] == repository_id
        for number in ("document_id", "chunk_id", "start", "end"):
            assert type(chunk[number]) is int, number
        assert 0 <= chunk["similarity_score"] <= 1
        assert chunk["content"] in FILES[chunk["document_name"]]
        assert chunk["end"] - chunk["start"] == len(chunk["content"])
        assert len(bytes.fromhex(chunk["text_sha256"])) == 32
