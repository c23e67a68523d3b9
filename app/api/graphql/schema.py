"""The schema, with its limits."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, MaxTokensLimiter
from strawberry.types import ExecutionContext

from app.api.graphql.limits import QueryLimits, extent_rule
from app.api.graphql.mutations import Mutation
from app.api.graphql.queries import Query


class Schema(strawberry.Schema):
    """Leaves the logging of errors to app.api.graphql.errors: most are the caller's."""

    def process_errors(
        self, errors: Sequence[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None: ...


def build_schema(limits: QueryLimits) -> Schema:
    """Queries and mutations; no subscriptions."""
    rule = extent_rule(limits)
    return Schema(
        query=Query,
        mutation=Mutation,
        extensions=[lambda: MaxTokensLimiter(limits.tokens), lambda: AddValidationRules([rule])],
    )
