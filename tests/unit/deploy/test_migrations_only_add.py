"""A version works with the tables of the one after it, so migrations add; what they take away nobody uses any more."""

from __future__ import annotations

import re
from pathlib import Path

from smarteros.store import migrations

VERSIONS = Path(migrations.__file__).parent / "versions"
# What the version before cannot work with, or must wait for.
TAKES_AWAY = re.compile(
    r"DROP\s+(COLUMN|TABLE|SCHEMA|FUNCTION)|RENAME\s+(COLUMN|TO)|SET\s+NOT\s+NULL"
    r"|ALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE|drop_(column|table|constraint)|rename_table",
    re.IGNORECASE,
)
# Before the first release. What a later one takes away was unused for a whole release, which is said in its docstring.
BEFORE_THE_RULE = {"v0004", "v0013"}


def test_a_migration_takes_nothing_away_that_the_version_before_needs() -> None:
    for path in sorted(VERSIONS.glob("v*.py")):
        if TAKES_AWAY.search(path.read_text("utf-8")) and path.name[:5] not in BEFORE_THE_RULE:
            assert "unused since" in path.read_text("utf-8"), f"{path.name}: see docs/deploy.md#migrations"


def test_the_exceptions_are_still_some() -> None:
    for name in BEFORE_THE_RULE:
        (path,) = VERSIONS.glob(f"{name}_*.py")
        assert TAKES_AWAY.search(path.read_text("utf-8"))
