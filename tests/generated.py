"""Writes or checks the files that are generated from code: ``python -m tests.generated [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from smarteros.contracts.schema import schema_text

ROOT = Path(__file__).parents[1]
GENERATED: dict[str, Callable[[], str]] = {
    "contracts/contract.schema.json": schema_text,
}


def stale_files() -> list[str]:
    """Name the generated files that are not what the code makes today."""
    return [
        name
        for name, make in GENERATED.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main() -> int:
    """Write the files, or with --check tell which are stale."""
    stale = stale_files()
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"{name} is stale; run: just generate\n")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(GENERATED[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
