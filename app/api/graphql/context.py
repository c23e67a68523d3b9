"""What every resolver is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from strawberry.types import Info

from app.core.access import require
from app.core.errors import InvalidRequestError
from app.core.parts import Parts
from app.core.types import Caller, Scope


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who asks, and the running service's parts."""

    caller: Caller
    parts: Parts
    most_items: int

    def writer(self) -> Caller:
        """The caller; raises ForbiddenError unless it may change things."""
        return require(self.caller, Scope.WRITE)

    def as_user(self, user: str) -> Caller:
        """The caller in the name of one of their own end users: threads belong to these."""
        return replace(self.caller, user=user)

    def page(self, first: int, skip: int = 0) -> int:
        """`first`; raises InvalidRequestError where it is out of bounds."""
        if not 1 <= first <= self.most_items:
            raise InvalidRequestError(f"`first` must be from 1 to {self.most_items}.", field="first")
        if skip < 0:
            raise InvalidRequestError("`skip` must not be below 0.", field="skip")
        return first


Asked = Info[Context, None]
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1, 9999))


def moment(seconds: float) -> datetime:
    """Unix seconds as GraphQL's DateTime."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def seconds_or_none(when: datetime | None, field: str) -> float | None:
    """Unix seconds; a time without a zone is UTC's. Raises InvalidRequestError for a time that has no year in UTC."""
    if when is None:
        return None
    seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if not EARLIEST <= seconds < LATEST:
        raise InvalidRequestError(f"`{field}` must be in the years 1 to 9998.", field=field)
    return seconds
