"""Which models are listed, with what is known of them, and under which numbers."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelNotFoundError
from app.core.library import Capabilities, ModelCard, ModelKind, ModelList
from app.core.ports import Cards
from app.providers.catalogue import Catalogue
from app.providers.model_cards import LISTED, MOST, ModelCards, embedding_card, number_models
from app.providers.prices import Price, PriceBook
from app.providers.vendors import find_vendor
from tests.providers.test_catalogue import QUOTING

EXTRACTIVE = "footnote/extractive"
EMBEDDING = "footnote/all-MiniLM-L6-v2"
IDS = st.sets(st.text(min_size=1, max_size=20), max_size=30)


async def listed(
    environment: Mapping[str, str] | None = None,
    *,
    named: Sequence[str] = (),
    default: str = EXTRACTIVE,
    prices: Mapping[str, Price] | None = None,
    default_provider: str | None = None,
) -> ModelList:
    catalogue = Catalogue(extractive=QUOTING, environment=environment or {}, default_provider=default_provider)
    embedding = embedding_card("all-MiniLM-L6-v2", dimensions=384, max_tokens=254)
    cards: Cards = ModelCards(catalogue, PriceBook(prices), embedding, environment or {}, named)
    return await cards.cards(default)


def by_id(models: ModelList) -> dict[str, ModelCard]:
    cards = {card.id: card for card in models.cards}
    assert len(cards) == len(models.cards)
    return cards


async def test_without_a_key_our_own_two_are_all_there_is() -> None:
    models = await listed()
    quotes, embeds = models.cards
    assert (quotes.id, quotes.kind, quotes.input_price, quotes.output_price) == (EXTRACTIVE, ModelKind.TEXT, 0, 0)
    assert quotes.capabilities == Capabilities(True, True, False, streaming=True, tools=False)
    assert quotes.context_length is None
    assert (embeds.id, embeds.kind, embeds.context_length, embeds.dimensions) == (
        EMBEDDING,
        ModelKind.VECTOR,
        254,
        384,
    )
    assert embeds.capabilities == Capabilities(True, False, embeddings=True, streaming=False, tools=False)
    assert models.default == quotes


async def test_a_vendor_with_a_key_brings_its_priced_models() -> None:
    models = await listed({"OPENAI_API_KEY": "sk"})
    cards = by_id(models)
    card = cards["openai/gpt-4o"]
    assert (card.provider, card.context_length, card.input_price, card.output_price) == ("openai", 128_000, 2.5, 10)
    assert card.capabilities == Capabilities(True, True, False, streaming=True, tools=None)
    assert not [model for model in cards if model.startswith("anthropic/")]
    assert list(cards)[2:] == sorted(list(cards)[2:])


async def test_at_another_address_only_what_is_named_is_listed() -> None:
    environment = {"OPENAI_API_KEY": "sk", "OPENAI_BASE_URL": "http://localhost:9/v1"}
    assert list(by_id(await listed(environment))) == [EXTRACTIVE, EMBEDDING]
    cards = by_id(await listed(environment, named=["openai/gpt-4o", "openai/org/mine"]))
    assert cards["openai/gpt-4o"].input_price == 2.5
    assert cards["openai/org/mine"].input_price is None
    at_home = environment | {"OPENAI_BASE_URL": "https://api.openai.com/v1"}
    assert by_id(await listed(at_home)).keys() == by_id(await listed({"OPENAI_API_KEY": "sk"})).keys()


async def test_named_models_have_the_operators_price(caplog: pytest.LogCaptureFixture) -> None:
    named = ["OLLAMA/qwen3:8b", EXTRACTIVE, "openai/gpt-4o", "ollama/qwen3:8b"]
    with caplog.at_level(logging.WARNING):
        cards = by_id(await listed(named=named, prices={"ollama/qwen3:8b": Price(0.1, 0.2, 40_960)}))
    assert list(cards) == [EXTRACTIVE, EMBEDDING, "ollama/qwen3:8b"]
    card = cards["ollama/qwen3:8b"]
    assert (card.provider, card.input_price, card.output_price, card.context_length) == ("ollama", 0.1, 0.2, 40_960)
    assert "openai/gpt-4o is not in the list of models" in caplog.text
    assert "OPENAI_API_KEY" in caplog.text


async def test_the_default_model_is_always_listed_if_it_can_be_called() -> None:
    models = await listed(default="ollama/mine")
    assert models.default is not None
    assert models.default in models.cards
    assert models.default.id == "ollama/mine"
    bare = await listed({"OPENAI_API_KEY": "sk"}, default="gpt-4o", default_provider="openai")
    assert bare.default == by_id(bare)["openai/gpt-4o"]
    for unreachable in ("openai/gpt-4o", "nobody/x", "bare", "footnote/other", EMBEDDING):
        assert (await listed(default=unreachable)).default is None


async def test_every_listed_model_can_be_resolved() -> None:
    environment = dict.fromkeys(LISTED.values(), "key")
    catalogue = Catalogue(extractive=QUOTING, environment=environment)
    cards = by_id(await listed(environment))
    assert len(cards) > 500
    for model in cards:
        if model != EMBEDDING:
            assert catalogue.resolve(model).id == model
    with pytest.raises(ModelNotFoundError):
        catalogue.resolve(EMBEDDING)
    await catalogue.aclose()


@pytest.mark.parametrize("provider", sorted(LISTED))
def test_the_variables_are_the_vendors_own(provider: str) -> None:
    from any_llm.any_llm import AnyLLM

    try:
        expected = find_vendor(provider).key_variable
    except ModelNotFoundError:  # its package is not installed
        expected = AnyLLM.get_provider_class(provider).ENV_API_KEY_NAME
    assert LISTED[provider] == expected


def test_no_key_loads_no_vendor() -> None:
    program = """
import asyncio, sys
from app.providers.catalogue import Catalogue
from app.providers.model_cards import ModelCards, embedding_card
from app.providers.prices import PriceBook
card = embedding_card("m", dimensions=1, max_tokens=1)
models = ModelCards(Catalogue(extractive=None, environment={}), PriceBook(), card, {}, ["ollama/x"])
assert len(asyncio.run(models.cards("footnote/extractive")).cards) == 3
assert not {"any_llm", "genai_prices"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class TestNumbers:
    def test_stay_as_they_are_from_release_to_release(self) -> None:
        assert number_models([EXTRACTIVE]) == {EXTRACTIVE: 1_499_061_399}

    @given(IDS)
    def test_are_unique_positive_and_31_bits(self, ids: set[str]) -> None:
        numbers = number_models(ids)
        assert numbers.keys() == ids
        assert len(set(numbers.values())) == len(ids)
        assert all(1 <= number <= MOST for number in numbers.values())

    @given(IDS)
    def test_do_not_depend_on_order_or_on_each_other(self, ids: set[str]) -> None:
        numbers = number_models(ids)
        assert number_models(sorted(ids, reverse=True)) == numbers
        assert all(number_models([model])[model] == number for model, number in numbers.items())

    @given(IDS)
    def test_of_ids_that_hash_alike_differ_and_stay(self, ids: set[str]) -> None:
        crowded = number_models(ids, most=max(1, len(ids)))  # as many numbers as ids: nearly all collide
        assert sorted(crowded.values()) == list(range(1, len(ids) + 1))
        assert number_models(sorted(ids, reverse=True), most=max(1, len(ids))) == crowded
