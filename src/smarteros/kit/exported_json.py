"""JSON in files that somebody may open with a spreadsheet."""

from __future__ import annotations

import re

# What makes a cell of a CSV a formula or calls a program. In JSON they stand in strings only, where any sign may be
# written by its number; whoever reads the file as JSON reads the same. But for exponents (1e+20), where no cell begins.
# A minus stands in numbers too, and without one of these (and with its quotation marks escaped) it only computes.
_ACTIVE = re.compile(r"[=@|]|(?<![eE])\+")


def inert(json_text: str) -> str:
    """Return a JSON text that means the same and that no spreadsheet takes for formulas, wherever it cuts cells.

    OWASP "CSV Injection": a customer's name ``=HYPERLINK(...)`` must not become a cell of the shop's owner.
    """
    return _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)
