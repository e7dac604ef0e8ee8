"""The contract format field by field, and the three shipped flows as their own pages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from smarteros.contracts.documentation import markdown
from smarteros.contracts.expressions import CONTEXT_NAMES, TEXT_NAMES, ReplyContext
from smarteros.contracts.loader import load_contracts
from smarteros.contracts.models import CURRENT_FORMAT, Contract
from smarteros.contracts.syntax import ALLOWED_FILTERS, ALLOWED_TESTS
from tests.reference.schemas import model, models
from tests.reference.tables import GENERATED, code, page, table, text_of

CONTRACTS = Path(__file__).parents[2] / "contracts"


def flow_pages() -> dict[str, Callable[[], str]]:
    """Return a page for each shipped contract, by the name of its file."""
    return {path.stem: partial(_flow, path.stem) for path in sorted(CONTRACTS.glob("*.yml"))}


def _flow(name: str) -> str:
    contract = load_contracts(CONTRACTS).by_id[name.replace("-", "_")]
    head, _, rest = markdown(contract).partition("\n")
    return f"{head}\n\n{GENERATED}\n{rest}"


def contract_page() -> str:
    """Write the page."""
    return text_of(_lines())


def _lines() -> Iterator[str]:
    yield from page(
        "Contract format",
        f"One YAML file per flow, `apiVersion: {CURRENT_FORMAT}`. Unknown keys are refused, and "
        "`smos contract lint` names every mistake with file and line. How one is written is in "
        "[Write a flow](../guides/write-a-flow.md); editors complete the fields by `contracts/contract.schema.json`.",
    )
    schema = Contract.model_json_schema()
    yield "## Contract"
    yield ""
    yield from model(schema)
    yield from models(schema["$defs"])
    yield from _names()


def _names() -> Iterator[str]:
    yield "## Names in conditions and texts"
    yield ""
    yield (
        "`when`, `params` and texts are Jinja2 in a sandbox: no calls, no imports, and only these names. Names marked "
        "with * may be used in conditions only."
    )
    yield ""
    yield inspect.cleandoc(ReplyContext.__doc__ or "").replace("``", "`")
    yield ""
    yield from table(
        ("name", "type"),
        (
            (code(name) + ("" if name in TEXT_NAMES else " *"), code(_type(name).replace(" | ", " or ")))
            for name in CONTEXT_NAMES
        ),
    )
    yield f"Filters: {', '.join(code(each) for each in sorted(ALLOWED_FILTERS))}. "
    yield f"Tests: {', '.join(code(each) for each in sorted(ALLOWED_TESTS))}."


def _type(name: str) -> str:
    if name not in ReplyContext.__annotations__:
        found = inspect.getattr_static(ReplyContext, name)
        return str(inspect.signature(found.fget).return_annotation)
    return str(ReplyContext.__annotations__[name])
