"""What a dialect is: five questions about a request, and how an answer is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from app.core.errors import AppError, InvalidRequestError
from app.core.types import Answer, Ask, Caller, Event, Json

Body = Mapping[str, Any]
Headers = Mapping[str, str]  # lower-case names
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as a dialect's clients expect it."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a request says it is."""

    key: str | None
    project_id: int | None = None
    user: str = ""


CUT = b""  # a frame of a failure: break the connection off here, for clients that know no other bad end


class Framer(Protocol):
    """Writes the events of one stream as bytes, each item one network message."""

    pause_s: float  # to wait after the last frame before the connection closes

    def frames(self, event: Event) -> list[bytes]: ...

    def failure(self, error: AppError) -> list[bytes]:
        """The end of a stream that broke after it began; CUT for an end that is none."""
        ...


class Renderer(Protocol):
    """Writes a whole answer."""

    def render(self, answer: Answer) -> Json: ...


class Dialect(Protocol):
    """One wire format."""

    name: str

    def claims(self, body: Body, headers: Headers) -> bool:
        """Is this request written in this dialect?"""
        ...

    def credentials(self, body: Body, headers: Headers) -> Credentials: ...

    def parse(self, body: Body, caller: Caller) -> tuple[Ask, bool]:
        """The ask, and whether it wants a stream; raises InvalidRequestError naming the field."""
        ...

    def render(self, answer: Answer) -> Json: ...

    def framer(self, body: Body) -> Framer: ...

    def error(self, error: AppError) -> Refusal: ...


def bearer(headers: Headers) -> str | None:
    """The key of `Authorization: Bearer <key>`, of `Authorization: <key>` (Prem's documents), or of `x-api-key`."""
    value = headers.get("authorization", "").strip()
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer":
        value = rest.strip()
    return value or headers.get("x-api-key", "").strip() or None


def validated(model: type[Model], body: Body) -> Model:
    """The request as its model; raises InvalidRequestError naming the first field at fault and why."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"] if isinstance(part, str) and part in _names(model))
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"`{where}`: {first['msg']}.", field=field or where) from error


def _names(model: type[BaseModel]) -> set[str]:
    """Every field name of a model and of the models inside it (unions put class names into error locations)."""
    names: set[str] = set()
    for name, info in model.model_fields.items():
        names.add(name)
        for inner in _models(info.annotation):
            names |= _names(inner)
    return names


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models(part)]
