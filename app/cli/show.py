"""How answers and reports look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from app.core.types import Json
from app.core.verification import Checked


def print_answer(answer: Mapping[str, Json], console: Console) -> None:
    """The answer, then a footnote for each source it cites."""
    console.print(Padding(escape(answer["choices"][0]["message"]["content"]), (0, 2)), highlight=False)
    cited = [chunk for chunk in answer["document_chunks"] if chunk["cited"]]
    if cited:
        console.print()
    for chunk in cited:
        verdicts = sorted({each["verdict"] for each in answer["citations"] if each["marker"] == chunk["marker"]})
        page = f", page {chunk['page']}" if chunk["page"] else ""
        where = f"{chunk['document_name']}{page}, characters {chunk['start']}-{chunk['end']}"
        score = f"similarity {chunk['similarity_score']:.2f}, {', '.join(verdicts)}"
        console.print(f"  [{chunk['marker']}] {where} ({score})", style="dim", highlight=False, markup=False)


def print_report(results: Sequence[Checked], console: Console) -> bool:
    """Each thing checked, then the sum; True when all hold."""
    for each in results:
        mark = "[green]holds[/green]" if each.valid else "[red]FAILS[/red]"
        console.print(f"{mark}  {each.what} \\[{each.marker}]  {escape(each.reason)}", highlight=False)
    failing = sum(not each.valid for each in results)
    if not results:
        console.print("There is nothing to check: the answer has no citations and no document_chunks.")
        return False
    console.print(f"{len(results) - failing} of {len(results)} hold.", highlight=False)
    return failing == 0
