"""Runs a GraphQL request against a schema and writes the answer in Shopify's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    is_leaf_type,
    parse,
    specified_rules,
    validate,
)

from smarteros_sandbox.shopify.blanks import blank
from smarteros_sandbox.shopify.connections import FieldFunction
from smarteros_sandbox.shopify.context import RequestContext
from smarteros_sandbox.shopify.cost import CONNECTION_COST, MUTATION_COST, OBJECT_COST, CostEstimator
from smarteros_sandbox.shopify.errors import first_operation_path, validation_code
from smarteros_sandbox.shopify.graphql_core import (
    default_field_resolver,
    execute_sync,
    is_list_type,
    is_non_null_type,
    named_type,
    nullable_type,
)

MOST_TOKENS = 5000
MOST_ERRORS = 10


@dataclass(frozen=True)
class Prepared:
    """A request that is valid and may be executed."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: dict[str, Any]
    operation_name: str | None
    requested_cost: int


class RejectedQuery(Exception):
    """The request does not reach execution; ``errors`` is the answer."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("rejected query")
        self.errors = errors


def prepare(schema: GraphQLSchema, body: dict[str, Any]) -> Prepared:
    """Parse, validate, price; ``RejectedQuery`` carries what a client is told."""
    query = body["query"]
    variables: dict[str, Any] = body.get("variables") or {}
    operation_name = body.get("operationName") or None
    try:
        document = parse(query, max_tokens=MOST_TOKENS)
        rules = (*specified_rules, MaxIntrospectionDepthRule)
        problems = validate(schema, document, rules, max_errors=MOST_ERRORS)
        if problems:
            raise RejectedQuery([_validation_error(document, problem) for problem in problems])
        operation = _operation(document, operation_name)
        fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        cost = CostEstimator(schema, fragments, variables).estimate(operation)
    except GraphQLError as error:
        raise RejectedQuery([_plain_error(error)]) from error
    except RecursionError as error:
        raise RejectedQuery([{"message": "Query has depth that exceeds the limit"}]) from error
    return Prepared(schema, document, variables, operation_name, cost)


def run(prepared: Prepared, root: dict[str, FieldFunction], context: RequestContext) -> dict[str, Any]:
    """Execute; the answer has ``data`` and, when something went wrong, ``errors``."""
    try:
        result = execute_sync(
            prepared.schema,
            prepared.document,
            root_value=root,
            context_value=context,
            variable_values=prepared.variables,
            operation_name=prepared.operation_name,
            field_resolver=resolve_field,
        )
    except RecursionError:
        return {"errors": [{"message": "Query has depth that exceeds the limit"}]}
    return _answer(result)


def resolve_field(source: Any, info: Any, **arguments: Any) -> Any:
    """The record's value; a required field the demo has no data for gets the emptiest value of its type."""
    if info.path.prev is None and info.field_name not in source:
        raise _access_denied(info.field_name)
    value = default_field_resolver(source, info, **arguments)
    if value is None and is_non_null_type(info.return_type):
        value = blank(info.return_type, info.schema)
    info.context.spent += _spent(info, value)
    return value


def _spent(info: Any, value: Any) -> int:
    kind = named_type(info.return_type)
    spent = MUTATION_COST if info.path.prev is None and info.operation.operation.value == "mutation" else 0
    if value is None or is_leaf_type(kind) or kind.name == "PageInfo" or kind.name.endswith("Edge"):
        return spent
    if kind.name.endswith("Connection"):
        return spent + CONNECTION_COST
    in_list = is_list_type(nullable_type(info.return_type))
    return spent + OBJECT_COST * (len(value) if in_list else 1)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    for operation in operations:
        if name is None and len(operations) == 1:
            return operation
        if name is not None and operation.name is not None and operation.name.value == name:
            return operation
    raise GraphQLError("An operation name is required" if name is None else f'No operation named "{name[:100]}"')


def _access_denied(field_name: str) -> GraphQLError:
    """Root fields beyond products, orders and carts: the demo app lacks their scopes."""
    return GraphQLError(
        f"Access denied for {field_name} field.",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
        },
    )


def _validation_error(document: DocumentNode, error: GraphQLError) -> dict[str, Any]:
    return {
        **_plain_error(error),
        "path": first_operation_path(document, error),
        "extensions": {"code": validation_code(error.message)},
    }


def _plain_error(error: GraphQLError) -> dict[str, Any]:
    shape: dict[str, Any] = {"message": error.message}
    if error.locations:
        shape["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    return shape


def _answer(result: ExecutionResult) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [_execution_error(error) for error in result.errors]
    if result.data is not None or not result.errors:
        answer["data"] = result.data
    elif any(error.path for error in result.errors):
        answer["data"] = None
    return answer


def _execution_error(error: GraphQLError) -> dict[str, Any]:
    if error.path is None:  # variables of the wrong type
        return {**_plain_error(error), "extensions": {"code": "INVALID_VARIABLE"}}
    extensions = error.extensions or {"code": "INTERNAL_SERVER_ERROR"}
    return {**_plain_error(error), "path": list(error.path), "extensions": extensions}
