"""The models that can be called here, each with what is truly known of it; nobody is asked over the network."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from app.core.errors import ModelNotFoundError
from app.core.library import Capabilities, ModelCard, ModelKind, ModelList
from app.providers.catalogue import EXTRACTIVE, OWN_PROVIDER, Catalogue
from app.providers.prices import Facts, PriceBook
from app.providers.vendors import find_vendor

MOST = 2**31 - 1  # the largest number that every client and database takes
# Providers whose models the price table names as they do, and the variable that holds the key of each: known here, so
# that a machine without keys does not load the vendors' libraries to learn that it has none.
LISTED: Mapping[str, str] = {
    "anthropic": "ANTHROPIC_API_KEY",
    "bedrock": "AWS_BEARER_TOKEN_BEDROCK",
    "cerebras": "CEREBRAS_API_KEY",
    "cohere": "COHERE_API_KEY",
    "databricks": "DATABRICKS_TOKEN",
    "deepseek": "DEEPSEEK_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
    "meta": "MODEL_API_KEY",
    "minimax": "MINIMAX_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "moonshot": "MOONSHOT_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "ovhcloud": "OVHCLOUD_API_KEY",
    "perplexity": "PERPLEXITY_API_KEY",
    "together": "TOGETHER_API_KEY",
    "xai": "XAI_API_KEY",
    "zai": "ZAI_API_KEY",
}
# Every provider here streams (the catalogue refuses others); whether a model calls tools, its name does not say.
_CHAT = Capabilities(text_input=True, text_output=True, embeddings=False, streaming=True)
_QUOTES = replace(_CHAT, tools=False)
_EMBEDS = Capabilities(text_input=True, text_output=False, embeddings=True, streaming=False, tools=False)
_log = logging.getLogger(__name__)


def embedding_card(name: str, *, dimensions: int, max_tokens: int) -> ModelCard:
    """The card of the embedding model in force; `max_tokens` is its window (longer texts are read by windows)."""
    return ModelCard(
        f"{OWN_PROVIDER}/{name}", 0, OWN_PROVIDER, ModelKind.VECTOR, _EMBEDS, max_tokens, dimensions, 0.0, 0.0
    )


class ModelCards:
    """Our own two, every model with a price of the vendors whose key is set, and those that are named in `named`.

    Where a vendor's address is set to somebody else's (a proxy, a local server), what it has is unknown: only the
    named ones are listed.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        prices: PriceBook,
        embedding: ModelCard,
        environment: Mapping[str, str],
        named: Sequence[str] = (),
    ) -> None:
        self._catalogue = catalogue
        self._prices = prices
        self._embedding = embedding
        self._environment = environment
        self._named = named
        self._warned: set[str] = set()

    @property
    def embedding(self) -> str:
        """The id of the embedding model."""
        return self._embedding.id

    async def cards(self, default: str) -> ModelList:
        """Every card, the default model's among them if that can be called."""
        return await asyncio.to_thread(self._cards, default)

    async def known(self, models: Collection[str]) -> dict[str, ModelCard]:
        """What is known of these models by their id, whether or not they can still be called."""
        return await asyncio.to_thread(self._known_of, models)

    def _known_of(self, models: Collection[str]) -> dict[str, ModelCard]:
        # Each by itself: the number that it has in every list where no other hashes to the same one.
        return {model: replace(self._card(model), number=number_models([model])[model]) for model in models}

    def _cards(self, default: str) -> ModelList:
        extractive = self._card(f"{OWN_PROVIDER}/{EXTRACTIVE}")
        found = {card.id: card for card in self._known()}
        for model in self._named:
            try:
                full = self._catalogue.full_id(model)
            except ModelNotFoundError as error:
                self._warn(model, error.message)
            else:
                found[full] = found.get(full) or self._card(full)
        chosen = None
        with contextlib.suppress(ModelNotFoundError):
            chosen = self._catalogue.full_id(default)
            found[chosen] = found.get(chosen) or self._card(chosen)
        ours = {extractive.id: extractive, self._embedding.id: self._embedding}
        listed = ours | dict(sorted(found.items()))
        numbers = number_models(listed)
        cards = tuple(replace(card, number=numbers[card.id]) for card in listed.values())
        return ModelList(cards, next((card for card in cards if card.id == chosen), None))

    def _known(self) -> Iterator[ModelCard]:
        for provider, variable in LISTED.items():
            if not self._environment.get(variable):
                continue
            try:
                connection = find_vendor(provider).connect(self._environment)
            except ModelNotFoundError as error:
                self._warn(provider, error.message)
                continue
            address = connection.api_base
            if address in (None, connection.vendor.default_base) or self._prices.is_own_address(provider, address):
                for name, facts in self._prices.chat_models(provider):
                    yield self._card(f"{provider}/{name}", facts)

    def _card(self, model: str, facts: Facts | None = None) -> ModelCard:
        provider, _, name = model.partition("/")
        facts = facts or self._prices.facts(model)
        does = _QUOTES if (provider, name) == (OWN_PROVIDER, EXTRACTIVE) else _CHAT
        return ModelCard(
            model,
            0,  # until all are known
            provider,
            ModelKind.TEXT,
            does,
            context_length=facts.context_length,
            input_price=facts.input_price,
            output_price=facts.output_price,
            deprecated=facts.deprecated,
        )

    def _warn(self, what: str, why: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            _log.warning("%s is not in the list of models: %s", what, why)


def number_models(ids: Collection[str], most: int = MOST) -> dict[str, int]:
    """A number from 1 to `most` for each id: of its own hash, so that other models coming and going do not change it.

    Of two that hash alike the one whose id sorts first has the number, the other the next of its own hashes.
    """
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for model in sorted(set(ids)):
        attempt = 0
        while (number := _hash(model, attempt) % most + 1) in taken:
            attempt += 1
        taken.add(number)
        numbers[model] = number
    return numbers


def _hash(model: str, attempt: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{attempt}:{model}".encode()).digest()[:8], "big")
