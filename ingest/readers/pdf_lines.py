"""The lines of a PDF page: their words and where they are printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """Words without a wide gap between them; points from the page's left edge."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line as printed; more than one cell where wide gaps divide it. Points from the page's lower edge."""

    cells: tuple[Cell, ...]
    bottom: float
    top: float
    size: float  # of the font, in points
    hyphenated: bool = False  # its last word goes on in the next line

    @property
    def text(self) -> str:
        return " | ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right

    @property
    def height(self) -> float:
        return self.top - self.bottom
