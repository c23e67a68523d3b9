"""Writes the reference pages from the code: `python docs/reference/build.py`. A test compares them."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic_core import PydanticUndefined

FOLDER = Path(__file__).parent


def settings_page() -> str:
    """Every setting with its default and what it is."""
    from app.settings import Settings

    lines = [
        "# Settings",
        "",
        "Environment variables, or lines in `.env`. `footnote doctor` prints each with its value and its source.",
        "This page is made by `python docs/reference/build.py`.",
        "",
        "| Variable | Default | What it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, (), {}, PydanticUndefined) else f"`{field.default}`"
        lines.append(f"| `FOOTNOTE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def routes_page() -> str:
    """Every route with its summary."""
    from app.main import create_app
    from app.settings import Settings

    lines = [
        "# Routes",
        "",
        "`/docs` has each with its fields. This page is made by `python docs/reference/build.py`.",
        "",
        "| Route | What it does |",
        "|---|---|",
    ]
    schema = create_app(Settings(_env_file=None)).openapi()
    for path, methods in sorted(schema["paths"].items()):
        for method, route in methods.items():
            said = (route.get("description") or route.get("summary") or "").strip().splitlines()
            lines.append(f"| `{method.upper()} {path}` | {said[0] if said else ''} |")
    return "\n".join(lines) + "\n"


PAGES = {"settings.md": settings_page, "routes.md": routes_page}


def main() -> None:
    """Writes all pages beside this file."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parents[1]))
    main()
