"""Pages for people who write programs, from files that come with the package: they work without internet.

Scripts are files, never inline, so that the content security policy can forbid all others.
"""

from __future__ import annotations


def swagger_page() -> str:
    """The page at /docs: every route, to be tried out."""
    return _page(
        "Footnote API",
        styles=("/static/swagger/swagger-ui.css",),
        body='<div id="swagger"></div>',
        scripts=("/static/swagger/swagger-ui-bundle.js", "/static/docs/swagger.js"),
    )


def redoc_page() -> str:
    """The page at /redoc: every route, to be read."""
    return _page(
        "Footnote API reference",
        body='<div id="redoc"></div>',
        scripts=("/static/redoc/redoc.standalone.js", "/static/docs/redoc.js"),
    )


def graphiql_page() -> str:
    """The page at /graphql: queries, to be tried out with a key."""
    key = (
        '<form id="key-form"><label for="key">API key</label>'
        '<input id="key" type="password" autocomplete="off" placeholder="fn-…"></form>'
    )
    return _page(
        "Footnote GraphQL",
        styles=("/static/graphiql/graphiql.min.css",),
        tools=key,
        body='<div id="graphiql"></div>',
        scripts=(
            "/static/graphiql/react.production.min.js",
            "/static/graphiql/react-dom.production.min.js",
            "/static/graphiql/graphiql.min.js",
            "/static/docs/graphiql.js",
        ),
    )


def _page(title: str, *, body: str, scripts: tuple[str, ...], styles: tuple[str, ...] = (), tools: str = "") -> str:
    sheets = "\n".join(f'<link rel="stylesheet" href="{each}">' for each in ("/static/docs/docs.css", *styles))
    code = "\n".join(f'<script src="{each}"></script>' for each in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{sheets}
</head>
<body class="docs">
<nav class="docs-bar">
<a class="docs-home" href="/">Footnote</a>
<a href="/docs">Try the API</a>
<a href="/redoc">Read the API</a>
<a href="/graphql">GraphQL</a>
{tools}
</nav>
{body}
{code}
</body>
</html>
"""
