"""The extractive model on small documents: what it quotes, what it brings along, what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import InvalidRequestError, ProviderError
from app.core.extractive.quoting import NO_SOURCES, NOT_ANSWERED
from app.core.types import Delta, FinishReason, Hit, Message, Prompt, Sampling, Source
from app.providers.extractive import ExtractiveGenerator
from ingest.embedders.hashing import HashingEmbedder
from ingest.types import EmbedderUnavailableError, Vectors

BIKES = """The cargo bikes

Wren is the electric bike. It carries 80 kilograms and is ridden only by volunteers. Sparrow has no motor.

A delivery in zone B costs £5. Deliveries are made on Thursday afternoons.

How do I book a bike?

To book a bike, do this:

- Ring the desk before noon.
- Say where you live.
- Pay the fee in cash.

Bikes come back clean."""

HATCH = """RETURNS HATCH

The hatch is open every day from 07:00 to 22:00.

Thing: Carpet cleaner · Shelf: Amber · Loan days: 2
Thing: Overlocker · Shelf: Green · Loan days: 14
Thing: Pressure washer · Shelf: Amber · Loan days: 7"""


def source(marker: int, content: str, *, name: str = "handbook.md", start: int = 0, score: float = 0.8) -> Source:
    hit = Hit(marker, marker, 1, name, content, start, start + len(content), "", score)
    return Source(marker, hit)


async def ask(question: str, *sources: Source, sampling: Sampling | None = None) -> list[Delta]:
    prompt = Prompt("extractive", (Message("user", question),), question, sources, sampling or Sampling())
    return [delta async for delta in ExtractiveGenerator(HashingEmbedder()).stream(prompt)]


async def answer(question: str, *sources: Source) -> str:
    return "".join(delta.text for delta in await ask(question, *sources))


async def test_the_sentence_that_answers_is_quoted_with_its_marker() -> None:
    text = await answer("When is the hatch open?", source(1, BIKES), source(2, HATCH))
    assert text == "The hatch is open every day from 07:00 to 22:00. [2]"


async def test_a_pronoun_brings_the_sentence_it_stands_for() -> None:
    text = await answer("How many kilograms does the bike carry?", source(1, BIKES))
    assert text.startswith("Wren is the electric bike. It carries 80 kilograms and is ridden only by volunteers. [1]")


async def test_steps_are_quoted_whole_with_their_lead_in() -> None:
    text = await answer("How do I book a bike?", source(1, BIKES))
    assert text == (
        "To book a bike, do this:\n\n- Ring the desk before noon.\n- Say where you live.\n- Pay the fee in cash. [1]"
    )


async def test_a_table_answers_with_the_one_row_that_was_asked_for() -> None:
    text = await answer("How many loan days has the overlocker?", source(1, HATCH))
    assert text == "Thing: Overlocker · Shelf: Green · Loan days: 14 [1]"


async def test_a_heading_is_never_an_answer_by_itself() -> None:
    text = await answer("What about the returns hatch?", source(1, HATCH))
    assert text == "The hatch is open every day from 07:00 to 22:00. [1]"


async def test_a_heading_is_quoted_when_there_is_nothing_else() -> None:
    assert await answer("returns hatch", source(1, "# Returns hatch")) == "# Returns hatch [1]"


async def test_the_same_words_in_two_sources_are_quoted_once() -> None:
    text = await answer("When is the hatch open?", source(1, HATCH), source(2, HATCH, name="copy.md"))
    assert text.count("07:00") == 1


async def test_off_the_topic_it_says_so_and_names_the_closest_place() -> None:
    text = await answer("What is the capital of Mongolia?", source(1, HATCH, name="hours.txt"))
    assert text.startswith(f"{NOT_ANSWERED}hours.txt")
    assert text.endswith("[1]")


async def test_without_sources_it_says_so() -> None:
    deltas = await ask("When is the hatch open?")
    assert [delta.text for delta in deltas] == [NO_SOURCES, ""]
    assert deltas[-1].finish_reason is FinishReason.STOP


async def test_offsets_are_those_of_the_document_not_of_the_chunk() -> None:
    deltas = await ask("When is the hatch open?", source(1, HATCH, start=1000))
    (quote,) = [quote for delta in deltas for quote in delta.quotes]
    assert quote.start == 1000 + HATCH.index("The hatch is open")


async def test_each_sentence_of_a_quotation_is_a_piece_of_the_stream() -> None:
    deltas = await ask("How do I book a bike?", source(1, BIKES))
    assert [delta.text for delta in deltas[:-1]] == [
        "To book a bike, do this:\n\n",
        "- Ring the desk before noon.\n",
        "- Say where you live.\n",
        "- Pay the fee in cash. [1]",
    ]
    assert [len(delta.quotes) for delta in deltas] == [0, 0, 0, 1, 0]


async def test_usage_counts_what_was_read_and_what_was_said() -> None:
    deltas = await ask("When is the hatch open?", source(1, HATCH))
    usage = deltas[-1].usage
    assert usage is not None
    said = "".join(delta.text for delta in deltas)
    tokenizer = HashingEmbedder().tokenizer
    assert usage.prompt_tokens == len(tokenizer.offsets("When is the hatch open?"))
    assert usage.completion_tokens == len(tokenizer.offsets(said))


async def test_max_tokens_cuts_the_answer_and_the_quotation() -> None:
    deltas = await ask("When is the hatch open?", source(1, HATCH), sampling=Sampling(max_tokens=4))
    assert "".join(delta.text for delta in deltas) == "The hatch is open"
    (quote,) = [quote for delta in deltas for quote in delta.quotes]
    assert HATCH[quote.start : quote.end] == "The hatch is open"
    assert deltas[-1].finish_reason is FinishReason.LENGTH


async def test_stop_ends_the_answer_before_the_word() -> None:
    deltas = await ask("When is the hatch open?", source(1, HATCH), sampling=Sampling(stop=(" every",)))
    assert "".join(delta.text for delta in deltas) == "The hatch is open"
    assert deltas[-1].finish_reason is FinishReason.STOP


async def test_a_forced_tool_call_is_refused() -> None:
    prompt = Prompt("extractive", (), "Hello?", tools=({"type": "function"},), tool_choice="required")
    with pytest.raises(InvalidRequestError) as caught:
        await anext(ExtractiveGenerator(HashingEmbedder()).stream(prompt))
    assert caught.value.field == "tool_choice"


async def test_json_is_refused() -> None:
    prompt = replace(Prompt("extractive", (), "Hello?"), response_format={"type": "json_object"})
    with pytest.raises(InvalidRequestError) as caught:
        await anext(ExtractiveGenerator(HashingEmbedder()).stream(prompt))
    assert caught.value.field == "response_format"


class _BrokenEmbedder(HashingEmbedder):
    def embed(self, texts: object, *, background: bool = False) -> Vectors:
        raise EmbedderUnavailableError("the model file is gone")


async def test_a_broken_embedder_is_a_provider_error() -> None:
    prompt = Prompt("extractive", (), "When is the hatch open?", (source(1, HATCH),))
    with pytest.raises(ProviderError, match="the model file is gone"):
        await anext(ExtractiveGenerator(_BrokenEmbedder()).stream(prompt))
