"""Who we are to a shop that is asked by UCP: a document at our own address, which the shop reads.

https://shopify.dev/docs/agents/profiles: every call names it, and the shop offers what both sides can do.
"""

from __future__ import annotations

from typing import Any

VERSION = "2026-04-08"
PATH = "/ucp/agent.json"
_SPEC = f"https://ucp.dev/{VERSION}"
_CAPABILITIES = ("search", "lookup")


def profile_url(public_url: str | None) -> str | None:
    """Return where our profile is read; None when this installation has no https address a shop could reach."""
    return f"{public_url.rstrip('/')}{PATH}" if public_url and public_url.startswith("https://") else None


def profile() -> dict[str, Any]:
    """Return our profile: we search and read catalogues, and buy nothing."""
    capabilities = {
        f"dev.ucp.shopping.catalog.{name}": [
            {
                "version": VERSION,
                "spec": f"{_SPEC}/specification/catalog/{name}",
                "schema": f"{_SPEC}/schemas/shopping/catalog_{name}.json",
            }
        ]
        for name in _CAPABILITIES
    }
    return {"ucp": {"version": VERSION, "capabilities": capabilities}}
