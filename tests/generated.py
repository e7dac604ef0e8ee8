"""Writes or checks the files that are generated from code: ``python -m tests.generated [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from smarteros.agents import base_vectors
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.intents import base_examples
from smarteros.agents.shared_model import labelled_readings, pairs
from smarteros.contracts.exporters.n8n import EVENTS_FILE, FAQ_FILE, OCR_FILE, n8n_files
from smarteros.contracts.loader import load_contracts
from smarteros.contracts.schema import schema_text
from smarteros.embedders.e5 import E5Embedder
from smarteros.embedders.use import UseEmbedder
from tests.reference import REFERENCE
from tests.supply_chain import REPORT, report

ROOT = Path(__file__).parents[1]


def _workflow(name: str) -> Callable[[], str]:
    return lambda: n8n_files(load_contracts(ROOT / "contracts").by_id.values())[name]


GENERATED: dict[str, Callable[[], str]] = {
    "contracts/contract.schema.json": schema_text,
    **{f"n8n-workflows/{name}": _workflow(name) for name in (EVENTS_FILE, OCR_FILE, FAQ_FILE)},
    **REFERENCE,
    REPORT: report,
}


BASE_VECTORS = f"src/smarteros/agents/data/{base_vectors.FILE}"


def stale_files() -> list[str]:
    """Name the generated files that are not what the code makes today.

    Of the vectors only that they are those of today's examples: making all of them takes half a minute.
    """
    stale = [
        name
        for name, make in GENERATED.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]
    if base_vectors.is_stale(base_sentences(), (UseEmbedder.name, E5Embedder.name)):
        stale.append(BASE_VECTORS)
    return stale


def base_sentences() -> list[str]:
    """Return what encoders read of the examples of the base pack and of the contracts."""
    taught = [*pairs(base_examples())]
    for contract in load_contracts(ROOT / "contracts").by_id.values():
        taught += pairs(contract.agent.examples)
    return [reading.sentence for reading in labelled_readings(EntityExtractor(base_gazetteer()), taught)]


def main() -> int:
    """Write the files, or with --check tell which are stale."""
    stale = stale_files()
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"{name} is stale; run: just generate\n")
        return 1 if stale else 0
    for name in stale:
        if name == BASE_VECTORS:
            (ROOT / name).write_bytes(base_vectors.packed(base_sentences(), (UseEmbedder(), E5Embedder())))
        else:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(GENERATED[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
