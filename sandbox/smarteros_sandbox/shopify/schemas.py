"""Shopify's two GraphQL schemas, built from the vendored SDL when they are first needed.

Building the Admin schema costs about 0.7 s of one core and 35 MB, so it never happens while the sandbox
starts: ``SchemaStore.warm_up`` does it in the background.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from threading import Lock, Thread
from typing import Literal

from graphql import GraphQLSchema, build_ast_schema, parse

ApiName = Literal["admin", "storefront"]
API_VERSION = "2026-10"
SCHEMA_DIRECTORY = Path(__file__).parent / "schema"


class SchemaStore:
    """Builds each schema once, whoever asks first."""

    def __init__(self) -> None:
        self._locks: dict[ApiName, Lock] = {"admin": Lock(), "storefront": Lock()}
        self._built: dict[ApiName, GraphQLSchema] = {}

    def get(self, name: ApiName) -> GraphQLSchema:
        """The schema; blocks while it is being built (call it in a worker thread)."""
        with self._locks[name]:
            if name not in self._built:
                self._built[name] = build(name)
            return self._built[name]

    def warm_up(self) -> None:
        """Build both in a background thread."""
        Thread(target=lambda: (self.get("admin"), self.get("storefront")), daemon=True).start()


def build(name: ApiName) -> GraphQLSchema:
    """One schema from its file."""
    packed = (SCHEMA_DIRECTORY / f"{name}-{API_VERSION}.graphql.gz").read_bytes()
    document = parse(gzip.decompress(packed).decode(), no_location=True)
    # assume_valid: see the vendoring script; checking 3,500 known types would only cost time.
    return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


# One store for the process: several apps (tests make many) share the 35 MB.
SCHEMAS = SchemaStore()
