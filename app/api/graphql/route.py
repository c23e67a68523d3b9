"""POST /graphql runs a query or a mutation; GET is a page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from app.api.bodies import json_object
from app.api.caller import PartsNow, Reader
from app.api.docs_page import graphiql_page
from app.api.graphql.context import Context
from app.api.graphql.errors import render
from app.api.graphql.limits import QueryLimits
from app.api.graphql.schema import build_schema
from app.core.errors import InvalidRequestError, TooLargeError

EXAMPLE = {"query": "query { todos { id title completed createdAt } }"}
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["query"],
                    "properties": {
                        "query": {"type": "string"},
                        "variables": {"type": ["object", "null"]},
                        "operationName": {"type": ["string", "null"]},
                    },
                },
                "examples": {"todos": {"summary": "The content-gap list", "value": EXAMPLE}},
            }
        },
    }
}
ALLOWED = frozenset({OperationType.QUERY, OperationType.MUTATION})
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "`data`, `errors`, or both.", "content": {"application/json": {"schema": {}}}}
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A GraphQL request."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None


def make_router(limits: QueryLimits) -> APIRouter:
    """The routes at /graphql."""
    router = APIRouter(tags=["graphql"])
    schema = build_schema(limits)

    @router.get("/graphql", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(graphiql_page())

    @router.post(
        "/graphql",
        summary="Read and change todos, read repositories, documents, threads and traces",
        openapi_extra=REQUEST_BODY,
        responses=ANSWER,
    )
    async def run(request: Request, caller: Reader, parts: PartsNow) -> Response:
        """A query's own errors come with status 200 beside the data, as GraphQL says; `extensions.code` names them."""
        asked = _asked(await json_object(request), limits)
        context = Context(caller, parts, limits.items)
        try:
            result = await schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation,
                allowed_operation_types=ALLOWED,
            )
        except CannotGetOperationTypeError as error:
            return _answer(None, [GraphQLError(error.as_http_error_reason())])
        except InvalidOperationTypeError as error:
            return _answer(None, [GraphQLError(f"There are no {error.operation_type.value}s here.")])
        return _answer(result.data, result.errors or [])

    return router


def _asked(body: Mapping[str, Any], limits: QueryLimits) -> Asked:
    """The request's three fields; raises InvalidRequestError or TooLargeError naming the one at fault."""
    query, variables, operation = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise InvalidRequestError("Send the GraphQL document as the string `query`.", field="query")
    if len(query) > limits.chars:
        raise TooLargeError(f"The query has {len(query)} characters, more than {limits.chars}.", field="query")
    if not isinstance(variables, dict | None):
        raise InvalidRequestError("`variables` must be an object.", field="variables")
    if not isinstance(operation, str | None):
        raise InvalidRequestError("`operationName` must be a string.", field="operationName")
    return Asked(query, variables, operation)


def _answer(data: Mapping[str, Any] | None, errors: Sequence[GraphQLError]) -> Response:
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = [render(error) for error in errors]
    return Response(orjson.dumps(body), media_type="application/json")
