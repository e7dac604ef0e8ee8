"""Vendors Shopify's GraphQL schemas into the sandbox: SDL without descriptions, gzip-compressed.

Source: the npm package ``@shopify/dev-mcp`` (ISC), which ships the introspection results of every API version.
Run it again to move to a newer API version::

    uv run sandbox/scripts/vendor_shopify_schema.py            # fetches the pinned package with `npm pack`
    uv run sandbox/scripts/vendor_shopify_schema.py DIRECTORY  # uses an unpacked package
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from graphql import build_client_schema, print_schema

PACKAGE = "@shopify/dev-mcp@1.16.0"
API_VERSION = "2026-10"
SOURCES = {"admin": "admin", "storefront": "storefront-graphql"}
TARGET = Path(__file__).parents[1] / "smarteros_sandbox" / "shopify" / "schema"


def main(arguments: list[str]) -> None:
    """Convert both schemas and copy the licence."""
    if arguments:
        vendor(Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        vendor(fetch(Path(scratch)))


def fetch(scratch: Path) -> Path:
    """Download and unpack the npm package; returns its directory."""
    command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(scratch)]
    subprocess.run(command, check=True)
    archive = next(scratch.glob("*.tgz"))
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    return scratch / "package"


def vendor(package: Path) -> None:
    """Write ``<api>-<version>.graphql.gz`` for both APIs, and NOTICE."""
    for name, source in SOURCES.items():
        with gzip.open(package / "dist" / "data" / f"{source}_{API_VERSION}.json.gz") as file:
            introspection: Any = json.load(file)["data"]
        # mtime=0: the same schema gives the same bytes, so a repeated run leaves no difference in git.
        packed = gzip.compress(to_sdl(introspection).encode(), 9, mtime=0)
        (TARGET / f"{name}-{API_VERSION}.graphql.gz").write_bytes(packed)
    licence = (package / "LICENSE").read_text("utf-8").strip()
    notice = f"The schemas in this folder were converted from the npm package {PACKAGE}.\n\n{licence}\n"
    (TARGET / "NOTICE").write_text(notice, "utf-8")


def to_sdl(introspection: Any) -> str:
    """The SDL without descriptions: they are 90 % of the text and nothing executes them."""
    without_descriptions(introspection)
    # assume_valid: Shopify's schema breaks one newer rule (a deprecated field implementing a live one).
    return print_schema(build_client_schema(introspection, assume_valid=True))


def without_descriptions(node: Any) -> None:
    """Remove every description in place."""
    if isinstance(node, dict):
        node["description"] = None
        for child in list(node.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            without_descriptions(child)
    elif isinstance(node, list):
        for child in node:  # pyright: ignore[reportUnknownVariableType]
            without_descriptions(child)


if __name__ == "__main__":
    main(sys.argv[1:])
