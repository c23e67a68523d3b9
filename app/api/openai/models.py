"""The models that can be called here: OpenAI's list without a slash at its end, Prem's array with one."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.caller import PartsNow, Reader
from app.core.errors import ModelNotFoundError
from app.core.library import ModelList
from app.core.parts import Parts
from app.core.pipeline import DEFAULT
from app.core.types import Caller
from app.dialects.models import OpenAIModel, OpenAIModels, PremModel

router = APIRouter(tags=["models"])
prem_router = APIRouter(tags=["models"])


@router.get("/models", summary="List the models", response_model=OpenAIModels)
async def all_models(caller: Reader, parts: PartsNow) -> OpenAIModels:
    """Ours, those with a known price of every provider whose key is set, and those named in `FOOTNOTE_MODELS`.

    No provider is asked: whether a key opens a model, the provider tells when it is called.
    """
    models, _ = await _models(caller, parts)
    return OpenAIModels(data=[OpenAIModel.of(card) for card in models.cards])


@router.get("/models/{model:path}", summary="Look at a model", response_model=OpenAIModel)
async def get(model: str, caller: Reader, parts: PartsNow) -> OpenAIModel:
    """Its id, slashes and all (or `%2F`); `default` is the project's default model."""
    models, default = await _models(caller, parts)
    if model == DEFAULT:
        if models.default is None:
            raise ModelNotFoundError(
                f"The project's default model {default!r} cannot be called here: its provider is unknown, is not "
                "installed or has no key."
            )
        return OpenAIModel.of(models.default)
    for card in models.cards:
        if card.id == model:
            return OpenAIModel.of(card)
    raise ModelNotFoundError(f"There is no model {model!r} here. `GET /v1/models` lists those there are.")


@prem_router.get("/models/", summary="List the models, as Prem's clients read them", response_model=list[PremModel])
async def all_for_prem(caller: Reader, parts: PartsNow) -> list[PremModel]:
    """The same list, as a bare array."""
    models, _ = await _models(caller, parts)
    return [PremModel.of(card) for card in models.cards]


@prem_router.get("/models/{number}/", summary="Look at a model by its number", response_model=PremModel)
async def get_for_prem(number: int, caller: Reader, parts: PartsNow) -> PremModel:
    """A model's number comes from its name, and is the same in every installation."""
    models, _ = await _models(caller, parts)
    for card in models.cards:
        if card.number == number:
            return PremModel.of(card)
    raise ModelNotFoundError(f"There is no model with the number {number}. `GET /v1/models/` lists those there are.")


async def _models(caller: Caller, parts: Parts) -> tuple[ModelList, str]:
    """The list, and the model that the project calls when none is named."""
    project = await parts.projects.defaults(caller)
    default = project.model or parts.defaults.model
    return await parts.models.cards(default), default
