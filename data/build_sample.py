"""Builds the two sample documents that are not plain text: the safety manual (PDF) and the handbook (DOCX).

    python data/build_sample.py [folder]        (default: data/sample)

Their texts stand below in a small mark-up: blocks are parted by blank lines; a block is a title (`# `),
a heading (`## `), a list (each line `- ` or `1. `), a table (each line `| `, the first one its header) or a
paragraph. The same libraries give the same bytes on every run, since dates and ids are fixed.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

SAFETY_MANUAL = """
# Safety Manual

Heron Street Library of Things. Seventh edition, issued on 1 February 2026 by Tomasz Wilk, workshop
lead. It replaces the sixth edition of March 2024. Questions and mistakes go to Tomasz; nobody was
ever told off for finding one.

## 1. What this manual is for

This manual says how we keep borrowers, visitors and volunteers whole. It applies to everything on
the amber and red shelves, to the workshop, and to the petrol store. Where the instructions of a
maker are stricter than this manual, the maker is right. Where they are laxer, we are.

A near miss is anything that could have hurt somebody and did not. Near misses are written down like
accidents, because they are accidents that we got for free.

## 2. Inductions

A machine on the red shelf is lent only to a member who has taken the induction for exactly that
machine. Inductions are free, are given on Wednesday evenings in the workshop, and end with a short
demonstration by the learner. Four people take part at most. The induction card is shown at the desk
at every loan.

| Machine | Length | Valid for | Instructor |
| Petrol chainsaw | 3 hours | 12 months | Tomasz Wilk |
| Brushcutter | 90 minutes | 24 months | Saskia Lindqvist |
| Wood chipper | 2 hours | 12 months | Tomasz Wilk |
| Drum floor sander | 1 hour | 24 months | Saskia Lindqvist |
| Track saw | 75 minutes | 24 months | Saskia Lindqvist |
| Scaffold tower | 2 hours | 36 months | Bram de Groot |

An induction that has run out can be renewed by the demonstration alone, provided that less than six
months have passed. After that the whole induction is taken again.

A professional certificate, for instance of a tree surgeon, takes the place of the chainsaw induction.
It does not take the place of any other one.

## 3. Tests and inspections

Everything with a mains plug on the amber and red shelves is tested for electrical safety every twelve
months. Heaters, wallpaper steamers and whatever else turns mains power into heat are tested every six
months. The date of the next test is written on the green sticker beside the plug; a thing whose date has
passed must not be lent, even if it was tested yesterday and only the sticker is old.

Ladders and the scaffold tower are inspected every three months, rung by rung. Lifting straps and ropes
are inspected before each loan and thrown away after five years, whatever they look like.

A thing that is suspected of being unsafe gets a blue tag and goes to the quarantine shelf behind the
boiler. Only Tomasz Wilk or his deputy, Saskia Lindqvist, may take a blue tag off. A red tag is something
else: it is used at the Repair Café and means that a visitor's own thing failed its test.

## 4. Protective equipment

Goggles, ear protection and dust masks go out free of charge with every machine that needs them. Ear
protection is obligatory from 85 decibels; the noise of each machine is printed on its label.

With the chainsaw we lend cut-resistant trousers, gloves and a helmet with a visor. Borrowers must bring
their own boots with steel toecaps, and the duty lead looks at the boots before handing over the saw. No
boots, no saw.

With the brushcutter a visor and shin guards are lent. Bystanders keep fifteen metres away from a
brushcutter, and ten metres away from the wood chipper.

Helmets are thrown away five years after they were made or after a single hard knock, whichever comes
first.

## 5. Petrol

Machines with an engine leave the house with an empty tank and come back with an empty tank. The borrower
buys the fuel. A tank that comes back with fuel in it is emptied by us for a charge of £9.

The chainsaw and the brushcutter have two-stroke engines and run on a mixture of 50 parts petrol to 1 part
oil. The wood chipper and the petrol pressure washer have four-stroke engines and take plain unleaded
petrol. A two-stroke engine that is run on plain petrol is ruined within minutes, and we count that as
a mistake.

The petrol store may hold 15 litres of fuel in all, in metal cans. It has no light switch, on purpose; use
the torch that hangs outside. Do not take a telephone in.

## 6. Rules of the workshop

1. Nobody works alone. A machine may run only while at least two people are in the Boiler Room, one of
them trained on it.
2. No more than nine people are in the room at the same time, the supervisor included.
3. No loose sleeves, scarves, open hair or gloves at rotating machines.
4. No machine after alcohol, not even one glass, nor after a medicine that makes you drowsy.
5. The extraction runs for five minutes after the last cut.
6. Whoever uses the 3D printer stays in the house until the print is done.

People under 16 may watch from behind the yellow line. From 16 to 17 they may use hand tools and the drill
press, but not the saws.

## 7. If somebody is hurt

1. Switch the machine off, and at the wall as well.
2. Give first aid. The boxes are under the lending desk and beside the Boiler Room door.
3. Call 112 if it is more than a plaster can mend.
4. Tell the duty lead.
5. Leave the machine as it is and put a blue tag on it.
6. Write it into the accident book within 24 hours.

The defibrillator hangs outside, in the white cabinet next to the Mill Lane ramp. The code of the cabinet
is 1908, the year the bathhouse was built. It talks you through every step.

Imogen Fairweather reports serious accidents to the authority within ten days. A serious accident is one
that leads to a night in hospital or to more than seven days away from work.

## 8. Fire

Leave by the nearest door and do not use the lift. The assembly point is the bandstand on the other
side of Heron Street. The duty lead takes the yellow folder and counts; nobody goes back in, neither for
a coat nor for Gerald.

Fire drills are held twice a year, in March and in October, without warning. The house should be empty
in two minutes and thirty seconds. The best we have managed so far is two minutes and five seconds.

Extinguishers with foam hang in the ticket hall and the Plunge Hall. The one in the Boiler Room is filled
with carbon dioxide, because of the electrical machines; it must not be used in the petrol store, where
a powder extinguisher hangs beside the door.

Lithium batteries are charged on the steel table in the ticket hall only, never overnight and never on
the mezzanine. A battery that is hot, swollen or has been dropped from more than a metre is put into the
sand bucket in the yard.
"""

VOLUNTEER_HANDBOOK = """
# Volunteer Handbook

Welcome. You are about to spend your Saturdays telling people that they do not need to buy a tile cutter.
This handbook says what we expect of you, what you can expect of us, and where the biscuits are.

## Becoming a volunteer

Volunteers must be at least 16 years old. Under eighteens do not take shifts in the workshop. You do not
have to be a member, and you may live as far away as you like.

The way in has three steps, and most people have taken them within six weeks:

1. Come to an induction evening. It lasts two hours and is held on the second Thursday of every month.
2. Shadow two shifts beside somebody who has been here for longer than a year.
3. Pass the desk test. It has twelve questions, ten must be right, and you may repeat it as often as you like.

## Shifts

A desk shift lasts as long as the desk is open that day, plus half an hour before and half an hour after. We
ask for two shifts a month. The rota for a month is closed on the 20th of the month before; until then
put your name wherever there is a gap.

If you cannot come, say so 48 hours ahead and we find somebody. Later than that, please ring the duty phone
instead of writing. Nobody has to give a reason. After three missed shifts without a word, Imogen Fairweather
rings you to ask whether you are all right.

Every desk shift has three people: the duty lead, a greeter and a runner. The desk does not open with fewer
than two.

## Roles

| Role | Hours a month | What you need first | Ask |
| Desk volunteer | 10 | Induction evening, two shadow shifts, desk test | Imogen Fairweather |
| Duty lead | 12 | Six months at the desk, first-aid course | Imogen Fairweather |
| Delivery rider | 8 | Road test of 5 kilometres with a full box | Nuala Byrne |
| Fixer | 4 | Two afternoons at the Repair Café | Tomasz Wilk |
| Workshop supervisor | 9 | Inductions for all red-shelf machines | Tomasz Wilk |
| Catalogue helper | 6 | A love of small numbers | Joel Osei |

## What you get

Every hour you work earns you one tool hour. Ten tool hours are worth £5 and can be spent on loan fees, late
fees and benches. They cannot be paid out, given away or spent on a deposit. Tool hours expire at the end of
the year after the one in which they were earned.

After three months of regular shifts your individual membership is free for as long as you stay. If you
have a household membership, you pay only the difference of £18.

The volunteers' supper is on the last Friday of November. Ottilie Brandt's nephew cooks.

## Expenses

Nobody should be out of pocket. We pay:

- travel to and from a shift, up to £7 a day, against the ticket
- £5 for a meal when a shift is longer than five hours
- 25p for each kilometre in your own car, only when you carry things for the library
- the whole fee of the first-aid course, if you take it for us

Hand in the orange form with the receipts within 60 days. Priya Raman pays on the last working day of the month.

## Money and keys

The till starts every day with a float of £60. When it holds more than £150, the duty lead puts the rest into the
safe. Cash is counted by two people, always, even on a day with one loan.

There are six sets of keys. Keyholders are named by Imogen, sign for their set and never lend it. Whoever
opens the house switches off the alarm within 40 seconds; whoever closes it walks through every room, including
the one under the stage. A lost key is reported on the same day, whatever the hour.

## At the desk

Be kind first and right second. A borrower who brings something back broken has already had the worst part of
their day. You may waive any late fee up to £10 on your own judgement. Between £10 and £30 the duty lead
decides, and above that only Imogen.

Do not promise a thing that is not on the shelf. Do not hand over a red-shelf thing yourself: that is the duty
lead's task, with the check sheet, every time.

Dogs of visitors may come in on a lead as far as the ticket hall. Biscuits are in the drawer marked "Fuses".

Lost property is written into the grey book and kept for three months. Wallets, keys and telephones are taken
to the police station after one week.

## Photographs

Ask before you photograph anybody. Pictures of children need the written consent of a parent, and we do not
publish the names of children at all. Joel Osei looks after our page and puts the pictures up.

## When it is not going well

Talk to the person first, if you can. If you cannot, talk to Imogen. If it is about Imogen, write to Ruth
Adeyemi, who chairs the committee. You get an answer within ten days, and a second pair of ears if you want one.

If you want to leave, two weeks' notice is kind but not required. Keys come back within seven days. Your
tool hours stay yours until they expire.
"""

AUTHOR = "Heron Street Library of Things"
ISSUED = dt.datetime(2026, 2, 1, 9, 0, 0)
MARKS = {"# ": "title", "## ": "heading", "- ": "bullet", "1. ": "number", "| ": "table"}


def blocks(source: str) -> Iterator[tuple[str, list[str]]]:
    """Kind (title, heading, bullet, number, table, paragraph) and lines of each block of the mark-up."""
    for block in source.strip().split("\n\n"):
        mark, kind = next(((m, k) for m, k in MARKS.items() if block.startswith(m)), ("", "paragraph"))
        lines: list[str] = []
        for line in block.splitlines():
            starts = line[:1].isdigit() if kind == "number" else line.startswith(mark)
            text = line.split(" ", 1)[1] if kind != "paragraph" and starts else line
            if lines and (kind == "paragraph" or not starts):
                lines[-1] += " " + text
            else:
                lines.append(text)
        yield kind, lines


def cells(row: str) -> list[str]:
    """The cells of a table line whose leading bar is already gone."""
    return [cell.strip() for cell in row.strip().rstrip("|").split("|")]


def build_pdf(source: str, path: Path) -> None:
    """Writes the mark-up as an A5 booklet with numbered pages."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import ListFlowable, Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    for name in ("BodyText", "Heading2", "Title"):
        styles[name].fontSize, styles[name].leading = {"BodyText": (10, 13.5), "Heading2": (13, 17)}.get(name, (20, 26))
    body = styles["BodyText"]

    def flowable(kind: str, lines: list[str]) -> Any:
        if kind == "table":
            rows = [cells(line) for line in lines]
            grid = [("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)]
            return Table(rows, style=grid, repeatRows=1)
        if kind in ("bullet", "number"):
            return ListFlowable(
                [Paragraph(escape(line), body) for line in lines], bulletType="1" if kind == "number" else "bullet"
            )
        return Paragraph(escape(lines[0]), styles[{"title": "Title", "heading": "Heading2"}.get(kind, "BodyText")])

    def footer(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawCentredString(A5[0] / 2, 24, f"{AUTHOR} | Safety Manual | page {document.page}")

    document = SimpleDocTemplate(
        str(path), pagesize=A5, leftMargin=42, rightMargin=42, topMargin=42, bottomMargin=48,
        title="Safety Manual", author=AUTHOR, invariant=1, pageCompression=0,
    )  # fmt: skip
    document.build([flowable(*block) for block in blocks(source)], onFirstPage=footer, onLaterPages=footer)


def build_docx(source: str, path: Path) -> None:
    """Writes the mark-up with Word's own styles for titles, headings, lists and tables."""
    from docx import Document

    document = Document()
    properties = document.core_properties
    properties.author = properties.last_modified_by = AUTHOR
    properties.title, properties.comments = "Volunteer Handbook", ""
    properties.created = properties.modified = ISSUED
    styles = {"title": "Title", "heading": "Heading 1", "bullet": "List Bullet", "number": "List Number"}
    for kind, lines in blocks(source):
        if kind != "table":
            for line in lines:
                document.add_paragraph(line, style=styles.get(kind))
            continue
        table = document.add_table(rows=0, cols=len(cells(lines[0])), style="Table Grid")
        for line in lines:
            for cell, text in zip(table.add_row().cells, cells(line), strict=True):
                cell.text = text
    packed = io.BytesIO()
    document.save(packed)
    path.write_bytes(without_timestamps(packed.getvalue()))


def without_timestamps(archive: bytes) -> bytes:
    """The same zip archive with every member dated 1 January 1980."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name)
            member.create_system, member.compress_type = 3, zipfile.ZIP_DEFLATED  # the same on every operating system
            new.writestr(member, old.read(name))
    return out.getvalue()


def build(folder: Path) -> None:
    """Writes `safety-manual.pdf` and `volunteer-handbook.docx` into an existing folder."""
    build_pdf(SAFETY_MANUAL, folder / "safety-manual.pdf")
    build_docx(VOLUNTEER_HANDBOOK, folder / "volunteer-handbook.docx")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "sample")
