"""How large a GraphQL query may be: refused before any of it runs.

strawberry's own limiters of depth and aliases walk every path through the fragments: 769 bytes of fragments that name
each other twice kept the event loop busy for 7 seconds. This rule measures each fragment once.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one request may ask for."""

    depth: int  # of fields inside fields
    aliases: int  # fragments counted wherever they are used
    tokens: int  # of the query's text, comments left out
    chars: int  # of the query's text
    items: int  # of one list


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a selection reaches with all its fragments."""

    depth: int = 0
    aliases: int = 0


def extent_rule(limits: QueryLimits) -> type[ValidationRule]:
    """A validation rule that reports operations beyond `limits`."""

    class ExtentRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            definitions = context.document.definitions
            fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
            known: dict[str, Extent] = {}
            for operation in definitions:
                if not isinstance(operation, OperationDefinitionNode):
                    continue
                extent = _extent(operation.selection_set, fragments, known)
                if extent.depth > limits.depth:
                    context.report_error(
                        GraphQLError(f"The query is {extent.depth} fields deep; at most {limits.depth} are allowed.")
                    )
                if extent.aliases > limits.aliases:
                    context.report_error(
                        GraphQLError(f"The query has more than the {limits.aliases} aliases that are allowed.")
                    )

    return ExtentRule


def _extent(
    selections: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode], known: dict[str, Extent]
) -> Extent:
    depth = aliases = 0
    for selection in selections.selections if selections else ():
        if isinstance(selection, FieldNode):
            below = _extent(selection.selection_set, fragments, known)
            introspects = selection.name.value.startswith("__")  # its depth is limited by the standard rules
            inner = Extent(0 if introspects else below.depth + 1, below.aliases + (selection.alias is not None))
        elif isinstance(selection, FragmentSpreadNode):
            inner = _fragment(selection.name.value, fragments, known)
        else:
            inner = _extent(getattr(selection, "selection_set", None), fragments, known)
        depth, aliases = max(depth, inner.depth), aliases + inner.aliases
    return Extent(depth, aliases)


def _fragment(name: str, fragments: dict[str, FragmentDefinitionNode], known: dict[str, Extent]) -> Extent:
    """Of a fragment wherever it is used; one that is not there or contains itself is reported by the standard rules."""
    if name not in known:
        known[name] = Extent()  # stands for the fragment inside itself
        if name in fragments:
            known[name] = _extent(fragments[name].selection_set, fragments, known)
    return known[name]
