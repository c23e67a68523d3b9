"""The catalogue of models as OpenAI's clients read it, with what Promptrun's users ask of it, and as Prem's do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from app.core.library import ModelCard

# Prem's clients know no other provider; whoever else runs a model is `prem` to them.
PREM_PROVIDERS = frozenset({"anthropic", "azure", "groq", "openai", "prem", "proxy-prem-ai"})
NO_DATE = 0  # OpenAI's clients want a date, and nobody says when a model was made


class ModelPricing(BaseModel):
    """US dollars per million tokens, in the lowest tier."""

    currency: Literal["USD"] = "USD"
    input_per_million_tokens: float
    output_per_million_tokens: float


class ModelCapabilities(BaseModel):
    """What a model does; null where nobody says."""

    text_input: bool | None
    text_output: bool | None
    embeddings: bool | None
    streaming: bool | None
    tools: bool | None


class OpenAIModel(BaseModel):
    """A model in OpenAI's format, with more."""

    id: str = Field(description="`provider/model`.", examples=["footnote/extractive"])
    object: Literal["model"] = "model"
    created: int = Field(NO_DATE, description="Always 0: nobody says when a model was made.")
    owned_by: str = Field(description="The provider that runs it.")
    number: int = Field(description="The same model for Prem's clients, which know models by number.")
    context_length: int | None = Field(description="Tokens that it reads at once; null where nobody says.")
    dimensions: int | None = Field(description="Of its vectors; null for a model that answers.")
    pricing: ModelPricing | None = Field(description="Null where no price is known.")
    capabilities: ModelCapabilities
    deprecated: bool

    @classmethod
    def of(cls, card: ModelCard) -> OpenAIModel:
        pricing = None
        if card.input_price is not None and card.output_price is not None:
            pricing = ModelPricing(
                input_per_million_tokens=card.input_price, output_per_million_tokens=card.output_price
            )
        does = card.capabilities
        return cls(
            id=card.id,
            owned_by=card.provider,
            number=card.number,
            context_length=card.context_length,
            dimensions=card.dimensions,
            pricing=pricing,
            capabilities=ModelCapabilities(
                text_input=does.text_input,
                text_output=does.text_output,
                embeddings=does.embeddings,
                streaming=does.streaming,
                tools=does.tools,
            ),
            deprecated=card.deprecated,
        )


class OpenAIModels(BaseModel):
    """OpenAI's list."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class PremModel(BaseModel):
    """A model in Prem's format."""

    id: int = Field(description="1 to 2147483647; of the name alone, so that it stays.")
    name: str = Field(description="What `model` takes.", examples=["footnote/extractive"])
    model_type: Literal["text2text", "text2vector"]
    model_provider: str = Field(description="One that Prem's clients know; `prem` for all others.")
    deprecated: bool

    @classmethod
    def of(cls, card: ModelCard) -> PremModel:
        return cls(
            id=card.number,
            name=card.id,
            model_type=card.kind.value,
            model_provider=card.provider if card.provider in PREM_PROVIDERS else "prem",
            deprecated=card.deprecated,
        )
