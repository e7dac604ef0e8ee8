"""The emptiest value of a GraphQL type, for required fields the demo shops have no data for.

So any query that is valid against the schema has an answer, with empty lists, zeros and empty texts where
the real shop would have something.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLSchema,
    is_abstract_type,
    is_enum_type,
    is_object_type,
)

from smarteros_sandbox.shopify.graphql_core import is_list_type, nullable_type
from smarteros_sandbox.shopify.values import CURRENCY, OPENED_AT

SCALARS: dict[str, Any] = {
    "Int": 0,
    "Float": 0.0,
    "Boolean": False,
    "UnsignedInt64": "0",
    "BigInt": "0",
    "Decimal": "0.0",
    "Money": "0",
    "DateTime": OPENED_AT,
    "ISO8601DateTime": OPENED_AT,
    "Date": OPENED_AT[:10],
    "URL": "https://example.com",
    "JSON": {},
}
PREFERRED_ENUM_VALUES = {"CurrencyCode": CURRENCY, "CountryCode": "CL", "LanguageCode": "ES"}


def blank(type_: Any, schema: GraphQLSchema) -> Any:
    """A value of this type with nothing in it."""
    kind = nullable_type(type_)
    if is_list_type(kind):
        return []
    if is_enum_type(kind):
        return PREFERRED_ENUM_VALUES.get(kind.name) or next(iter(kind.values))
    if is_abstract_type(kind):
        return {"__typename": schema.get_possible_types(kind)[0].name}
    if is_object_type(kind):
        return {"__typename": kind.name}
    return SCALARS.get(getattr(kind, "name", ""), "")
