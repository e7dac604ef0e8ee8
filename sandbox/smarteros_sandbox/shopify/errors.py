"""Codes and paths Shopify adds to the messages of a GraphQL validation."""

from __future__ import annotations

import re

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
)

# graphql-core's messages, in Shopify's (that is graphql-ruby's) codes.
CODES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (r"^Cannot query field", "undefinedField"),
        (r"^Unknown argument", "argumentNotAccepted"),
        (r"^Unknown type", "undefinedType"),
        (r"^Unknown fragment", "useAndDefineFragment"),
        (r"^Unknown directive", "undefinedDirective"),
        (r"is required, but it was not provided", "missingRequiredArguments"),
        (r"was not provided|of required type", "missingRequiredInputObjectAttribute"),
        (r"must have a selection of subfields", "selectionMismatch"),
        (r"must not have a selection", "selectionMismatch"),
        (r"^Variable .* is not defined", "variableNotDefined"),
        (r"^Variable .* is never used", "variableNotUsed"),
        (r"used in position expecting", "variableMismatch"),
        (r"is not defined by type", "argumentNotAccepted"),
        (r"^Fragment .* is never used", "useAndDefineFragment"),
        (r"conflict", "fieldConflict"),
    )
)
OTHER_CODE = "argumentLiteralsIncompatible"
DEEPEST_PATH = 100


def validation_code(message: str) -> str:
    """Shopify's ``extensions.code`` for a validation message."""
    return next((code for pattern, code in CODES if pattern.search(message)), OTHER_CODE)


def first_operation_path(document: DocumentNode, error: GraphQLError) -> list[str]:
    """Where the fault lies, e.g. ["query", "products", "nodes", "titel"]."""
    if not error.nodes:
        return []
    target = error.nodes[0]
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            name = f" {definition.name.value}" if definition.name else ""
            start = f"{definition.operation.value}{name}"
        elif isinstance(definition, FragmentDefinitionNode):
            start = f"fragment {definition.name.value}"
        else:
            continue
        if definition is target:
            return [start]
        below = _path_below(definition.selection_set, target, 0)
        if below is not None:
            return [start, *below]
    return []


def _path_below(selection_set: SelectionSetNode | None, target: Node, depth: int) -> list[str] | None:
    if selection_set is None or depth > DEEPEST_PATH:
        return None
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            name = (selection.alias or selection.name).value
            if selection is target:
                return [name]
            if any(argument is target or argument.value is target for argument in selection.arguments or ()):
                return [name]
            below = _path_below(selection.selection_set, target, depth + 1)
            if below is not None:
                return [name, *below]
        elif isinstance(selection, InlineFragmentNode):
            below = _path_below(selection.selection_set, target, depth + 1)
            if below is not None:
                return ["...", *below]
    return None
