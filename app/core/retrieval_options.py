"""How much to bring and how similar it must be: what the request says, else the project, else the settings."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import InvalidRequestError
from app.core.ports import Defaults, ProjectDefaults
from app.core.types import Retrieval


def settle(
    repository_ids: Sequence[int],
    limit: int | None,
    similarity_threshold: float | None,
    project: ProjectDefaults,
    defaults: Defaults,
) -> Retrieval:
    """A retrieval with nothing left open; raises InvalidRequestError for more chunks than may be asked for."""
    brought = limit or project.limit or defaults.limit
    if brought > defaults.max_limit:
        raise InvalidRequestError(f"At most {defaults.max_limit} chunks can be asked for.", field="repositories.limit")
    bars = (similarity_threshold, project.similarity_threshold, defaults.similarity_threshold)
    threshold = next(bar for bar in bars if bar is not None)
    return Retrieval(tuple(dict.fromkeys(repository_ids)), brought, threshold)
