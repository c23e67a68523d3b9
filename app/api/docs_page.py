"""Swagger UI from files that come with the package: it works without internet."""

from __future__ import annotations


def swagger_page() -> str:
    """The page at /docs."""
    return """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Footnote API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/swagger/swagger-ui.css">
</head>
<body>
<div id="swagger"></div>
<script src="/static/swagger/swagger-ui-bundle.js"></script>
<script>
  SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger", persistAuthorization: true, docExpansion: "list" });
</script>
</body>
</html>
"""
