"""A tool that a model may call, and the two calls that the scripted model makes of it."""

from __future__ import annotations

from tests.doubles.openai_server import DONE, Reply, call, finish, usage

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_shelf",
            "description": "Finds the shelf of a book.",
            "parameters": {
                "type": "object",
                "properties": {"title": {"type": "string", "description": "The book's title."}},
                "required": ["title"],
            },
        },
    }
]
CALLED = [{"title": "Emma"}, {"title": "Ulysses"}]


def two_calls() -> Reply:
    """A model's answer that calls the tool twice at once, its arguments in fragments."""
    return Reply(
        [
            *call(0, "call_emma", "find_shelf", ['{"title":', ' "Emma"}']),
            *call(1, "call_ulysses", "find_shelf", ['{"title": "Uly', 'sses"}']),
            finish("tool_calls"),
            usage(7, 3),
            DONE,
        ]
    )
