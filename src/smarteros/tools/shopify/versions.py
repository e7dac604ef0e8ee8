"""Shopify's API versions: one each quarter, each supported for at least twelve months.

Source: https://shopify.dev/docs/api/usage/versioning. After that time Shopify answers with an older request's meaning
changed ("falls forward"), so an installation must hear of it before.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

DEFAULT_VERSION = "2026-10"
VERSION_PATTERN = r"^20\d\d-(01|04|07|10)$"
WARN_BEFORE = timedelta(days=60)


def supported_until(version: str) -> date:
    """Return the first day on which a version may be gone. ValueError when it is no version's name."""
    if not re.match(VERSION_PATTERN, version):
        raise ValueError(f"{version!r} is not a version such as {DEFAULT_VERSION}")
    year, month = version.split("-")
    return date(int(year) + 1, int(month), 1)


def expiry_warning(version: str, today: date) -> str | None:
    """Return the operator's sentence when a version ends soon or has ended, else None."""
    until = supported_until(version)
    if today < until - WARN_BEFORE:
        return None
    tense = "ended" if today >= until else "ends"
    return (
        f"Shopify's support of API version {version} {tense} on {until}; set SMOS_SHOPIFY_API_VERSION to a newer one."
    )
