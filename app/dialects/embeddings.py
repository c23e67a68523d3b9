"""Embeddings as OpenAI's and Prem's clients ask for them and read them: one answer serves both."""

from __future__ import annotations

import base64
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from app.core.errors import InvalidRequestError, ModelNotFoundError
from app.core.types import Json
from app.dialects.base import Body, validated
from app.dialects.ids import Id

EXAMPLE: dict[str, Json] = {"model": "footnote/all-MiniLM-L6-v2", "input": ["How long may I keep a ladder?"]}
NOT_TEXT = (
    "token ids are not taken, for they mean other words to every tokenizer and would become vectors of nonsense; send "
    "the text (in LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False)"
)


class EmbeddingsRequest(BaseModel):
    """Texts to embed; a text longer than the model's window is read window by window, none cut off."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"example": EXAMPLE})

    model: str = Field(description="The embedding model in force, by its id or its bare name.")
    input: str | list[str] = Field(description="A text, or several. Token ids are refused.")
    project_id: Id | None = Field(None, ge=1, strict=True, description="Prem's: the key's own project.")
    encoding_format: Literal["float", "base64"] = Field(
        "float", description="`base64` is the bytes of little-endian float32 numbers."
    )
    dimensions: int | None = Field(None, strict=True, description="Only the model's own number.")
    user: str | None = Field(None, max_length=200, description="Your own end user; stands in the log.")

    @field_validator("encoding_format", mode="before")
    @classmethod
    def _unsaid(cls, value: Any) -> Any:
        return "float" if value is None else value

    @field_validator("input", mode="before")
    @classmethod
    def _only_text(cls, value: Any) -> Any:
        texts = value if isinstance(value, list) else [value]
        first = texts[0] if texts else ""
        number = isinstance(first, int) and not isinstance(first, bool)
        if isinstance(value, list) and (number or isinstance(first, list)):
            raise PydanticCustomError("token_ids", NOT_TEXT)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise PydanticCustomError("texts", "a text or a list of texts is needed")
        for at, text in enumerate(texts):
            if not text:
                raise PydanticCustomError("empty", "text number {number} is empty", {"number": at + 1})
        return value

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class Embedding(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Of length 1; a string where `base64` was asked for.")


class EmbeddingsUsage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    """OpenAI's answer and Prem's in one."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage
    provider_name: str
    provider_id: str


def parse(body: Body, *, model: str, dimensions: int, most: int) -> EmbeddingsRequest:
    """The request; raises InvalidRequestError naming the field, ModelNotFoundError for another model than `model`.

    `dimensions` are the model's own, `most` the texts that one request may have.
    """
    request = validated(EmbeddingsRequest, body)
    if request.model not in (model, model.partition("/")[2]):
        raise ModelNotFoundError(f"There is no embedding model {request.model!r} here, only {model!r}.", field="model")
    if request.dimensions not in (None, dimensions):
        raise InvalidRequestError(
            f"`dimensions` can only be {dimensions}, the model's own: a vector cut short is another vector.",
            field="dimensions",
        )
    if len(request.texts) > most:
        raise InvalidRequestError(
            f"`input` may have {most} texts at most: send the rest in another request.", field="input"
        )
    return request


def render(request: EmbeddingsRequest, vectors: NDArray[np.float32], tokens: int, model: str) -> Json:
    """The answer, whose numbers are numpy's: orjson writes them as they are (OPT_SERIALIZE_NUMPY)."""
    provider = model.partition("/")[0]
    coded = request.encoding_format == "base64"
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if coded else vector}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "provider_name": provider,
        "provider_id": provider,
    }


def _base64(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
