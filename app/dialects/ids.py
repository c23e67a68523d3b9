"""The numbers of rows as requests carry them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from app.core.errors import NotFoundError

MAX_ID = 2**31 - 1  # the largest INTEGER of PostgreSQL; SQLite's driver fails beyond 2**63


def storable(number: int) -> int:
    """The number itself; raises NotFoundError where no row can have it, as for any number that no row has."""
    if abs(number) > MAX_ID:
        raise NotFoundError(f"There is nothing with the number {number} in this project.")
    return number


Id = Annotated[int, AfterValidator(storable)]
