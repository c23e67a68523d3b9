"""Whatever the texts and the question: quotations are exact, markers are real, nothing is said twice."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.types import Delta, FinishReason, Hit, Message, Prompt, Sampling, Source
from app.providers.extractive import ExtractiveGenerator
from ingest.embedders.hashing import HashingEmbedder

EMBEDDER = HashingEmbedder()

_VOCABULARY = """
London has 9,787,426 inhabitants because it grew Der Zug fährt um 9.30 Uhr Панда ест бамбук 黑豹队的防守丢了 多少分
ما هي العاصمة हिन्दी भाषा กรุงเทพ 👩‍👩‍👧 🇩🇪 e\u0301te\u0301 It This However Dr. e.g. 3.14 What İstanbul ﬁne
"""
_WORDS = st.sampled_from(_VOCABULARY.split())
_ENDS = st.sampled_from(
    [". ", "! ", "? ", "。", "？", "।", ": ", "\n", "\n\n", "\n- ", "\n1. ", " · ", "\t", " | ", "\n# ", "… "]
)
_WRITTEN = st.lists(st.tuples(st.lists(_WORDS, min_size=1, max_size=9).map(" ".join), _ENDS), max_size=14).map(
    lambda sentences: "".join(words + end for words, end in sentences)
)
_TEXTS = st.one_of(_WRITTEN, _WRITTEN, st.text(st.characters(exclude_categories=["Cs"]), max_size=300))


@st.composite
def _sources(draw: st.DrawFn) -> tuple[Source, ...]:
    contents = draw(st.lists(_TEXTS, max_size=4))
    repeats = draw(st.booleans())
    if contents and repeats:
        contents.append(contents[0])  # the same words in another document
    sources = []
    for number, content in enumerate(contents):
        start = draw(st.integers(0, 500))
        score = draw(st.floats(0, 1))
        heading = draw(st.sampled_from([(), ("London",), ("City", "What İstanbul has")]))
        hit = Hit(number, number, 1, f"{number}.txt", content, start, start + len(content), "", score, None, heading)
        sources.append(Source(number + 1, hit))
    return tuple(sources)


def _answer(prompt: Prompt) -> list[Delta]:
    async def collect() -> list[Delta]:
        return [delta async for delta in ExtractiveGenerator(EMBEDDER).stream(prompt)]

    return asyncio.run(collect())


@settings(max_examples=300, deadline=None)
@given(question=st.one_of(_TEXTS, _WORDS.map(lambda word: f"What is {word}?")), sources=_sources())
def test_every_quotation_is_an_exact_slice_of_its_source(question: str, sources: tuple[Source, ...]) -> None:
    prompt = Prompt("extractive", (Message("user", question),), question, sources)
    deltas = _answer(prompt)
    text = "".join(delta.text for delta in deltas)
    of_marker = {source.marker: source.hit for source in sources}
    quotes = [quote for delta in deltas for quote in delta.quotes]
    for quote in quotes:
        hit = of_marker[quote.marker]
        assert hit.start <= quote.start < quote.end <= hit.end
        quoted = text[quote.answer_start : quote.answer_end]
        assert hit.content[quote.start - hit.start : quote.end - hit.start] == quoted
        assert text[quote.answer_end :].startswith(f" [{quote.marker}]")
    assert [quote.answer_start for quote in quotes] == sorted(quote.answer_start for quote in quotes)
    said = [" ".join(text[quote.answer_start : quote.answer_end].split()) for quote in quotes]
    assert len(said) == len(set(said))
    assert text
    assert bool(quotes) == any(source.hit.content.strip() for source in sources)
    assert [delta.finish_reason for delta in deltas] == [None] * (len(deltas) - 1) + [FinishReason.STOP]
    assert _answer(prompt) == deltas


@settings(max_examples=150, deadline=None)
@given(question=_TEXTS, sources=_sources(), allowed=st.integers(0, 40), stop=_WORDS)
def test_a_shortened_answer_is_a_prefix_and_its_quotations_stay_exact(
    question: str, sources: tuple[Source, ...], allowed: int, stop: str
) -> None:
    whole = "".join(delta.text for delta in _answer(Prompt("extractive", (), question, sources)))
    sampling = Sampling(max_tokens=allowed, stop=(stop,))
    deltas = _answer(Prompt("extractive", (), question, sources, sampling))
    text = "".join(delta.text for delta in deltas)
    of_marker = {source.marker: source.hit for source in sources}
    assert whole.startswith(text)
    assert stop not in text
    for quote in [quote for delta in deltas for quote in delta.quotes]:
        hit = of_marker[quote.marker]
        assert quote.answer_start < quote.answer_end <= len(text)
        quoted = text[quote.answer_start : quote.answer_end]
        assert hit.content[quote.start - hit.start : quote.end - hit.start] == quoted
    usage = deltas[-1].usage
    assert usage is not None
    assert usage.completion_tokens <= allowed
