"""Which methods a path takes: what an answer with status 405 must say in its `Allow` header."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

FILES = ("GET", "HEAD")


def allow_header(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """The methods that some route takes on the path of this request; the router itself knows only the first route."""
    asked = {**scope, "root_path": scope.get("app_root_path", scope["root_path"])}  # as before a mount took it
    return ", ".join(method for method in METHODS if _taken(routes, {**asked, "method": method}))


def _taken(routes: Sequence[BaseRoute], scope: Scope) -> bool:
    return any(
        route.matches(scope)[0] is Match.FULL
        for route in routes
        if scope["method"] in FILES or not isinstance(route, Mount)  # which takes every method, and reads files
    )
