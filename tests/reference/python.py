"""What a developer implements to add an agent, a channel, a tool and so on, from the protocols themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import ModuleType
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from smarteros.agents import protocol as agents
from smarteros.alerts import protocol as alerts
from smarteros.bus import protocol as bus
from smarteros.channels import protocol as channels
from smarteros.documents import protocol as documents
from smarteros.domain import errors
from smarteros.domain.model import Model
from smarteros.embedders import protocol as embedders
from smarteros.knowledge import protocol as knowledge
from smarteros.secrets import protocol as secrets
from smarteros.tools import inputs, registry
from smarteros.tools import protocol as tools
from tests.reference.schemas import fields
from tests.reference.tables import page, table, text_of

_MARKUP = re.compile(r":\w+:`~?([^`]+)`|``([^`]+)``")


@dataclass(frozen=True)
class Role:
    """One thing that can be added: its protocols and their neighbours, and where it is put to work and proven."""

    title: str
    parts: tuple[type[Any], ...]
    how: str


# What these define is for developers who extend: all of it must be on the page.
MODULES: tuple[ModuleType, ...] = (agents, alerts, bus, channels, documents, embedders, knowledge, secrets, tools)
# The order is how often somebody needs it.
ROLES = (
    Role(
        "A tool",
        (
            registry.EmbeddedTool,
            registry.ToolRun,
            tools.ToolSpec,
            tools.ToolContext,
            inputs.ToolInput,
            tools.ToolProvider,
        ),
        "Most tools are one `EmbeddedTool` in `tools/<vendor>/`, registered in `tools/embedded.py`; only another "
        "source of tools is a `ToolProvider`. Step by step: [Write a tool](../guides/write-a-tool.md). Proven by "
        "`tests/conformance/test_tools.py`.",
    ),
    Role(
        "An agent",
        (agents.Agent,),
        "Lies in `agents/<name>/`, is chosen in `bootstrap/brains.py`, and proven by "
        "`tests/conformance/test_agents.py`. A program outside can be one without Python: [Botpress](../botpress.md).",
    ),
    Role(
        "A channel",
        (channels.Channel,),
        "Lies in `channels/<vendor>/`, beside the reading of its webhooks and their signatures; chosen in "
        "`bootstrap/`, proven by `tests/conformance/test_channels.py`.",
    ),
    Role(
        "An OCR engine",
        (documents.OcrEngine, documents.OcrPage, documents.OcrLine),
        "Lies in `documents/`, is chosen by the tenant's `ocr_engine` in `bootstrap/services.py`, and proven by "
        "`tests/conformance/test_ocr_engines.py`.",
    ),
    Role(
        "A secret store",
        (secrets.SecretStore, secrets.SecretKeeper),
        "Lies in `secrets/`, is chosen by `SMOS_SECRETS` in `secrets/opening.py`, and proven by "
        "`tests/conformance/test_secret_stores.py`.",
    ),
    Role(
        "A knowledge base",
        (knowledge.KnowledgeBase, knowledge.DocumentStore, knowledge.Encoders),
        "Lies in `knowledge/`; where its documents are kept is a `DocumentStore` of its own. Proven by "
        "`tests/conformance/test_knowledge.py`.",
    ),
    Role(
        "A sentence encoder",
        (embedders.Embedder,),
        "Lies in `embedders/`, is chosen by `SMOS_BRAIN`, and proven by `tests/conformance/test_embedders.py`.",
    ),
    Role(
        "An event bus",
        (bus.EventBus, bus.BusEvent, bus.Delivery),
        "Lies in `bus/`, is chosen by `SMOS_BUS` ([Audit](../audit.md)), and proven by "
        "`tests/conformance/test_event_buses.py`.",
    ),
    Role(
        "An alert sink",
        (alerts.AlertSink, alerts.Notice, alerts.AlertNews),
        "Lies in `alerts/`, is named by its settings ([Alerts](../alerts.md)), and proven by "
        "`tests/conformance/test_alert_sinks.py`.",
    ),
)
ERRORS = (
    errors.SmosError,
    errors.ConfigError,
    errors.RejectedInputError,
    errors.TransientError,
    errors.PermanentError,
)


def python_page() -> str:
    """Write the page."""
    return text_of(_lines())


def described() -> Iterator[tuple[str, Any]]:
    """Walk over all that the page describes by name: classes, and their own methods."""
    parts = [part for role in ROLES for part in role.parts]
    for part in dict.fromkeys((*parts, *ERRORS, *_neighbours())):
        yield part.__name__, part
        for name, method in _methods(part):
            yield f"{part.__name__}.{name}", method


def _lines() -> Iterator[str]:
    yield from page(
        "Python API",
        "What to implement to add something to SmarterOS. Roles are Protocols (`typing.Protocol`): a class with these "
        "methods is one, it inherits from nothing. `bootstrap/` is the only place that chooses one. Where files go, "
        "and in which order to write them, is in [Contributing](../../CONTRIBUTING.md).",
        "Money is an integer of pesos, instants are aware of their zone, durations end in their unit (`_s`, `_ms`), a "
        "`TenantScope` says whose data may be touched. Methods raise the four kinds of errors below and nothing else; "
        "only a `TransientError` is tried again.",
    )
    for role in ROLES:
        yield f"## {role.title}"
        yield ""
        yield role.how
        yield ""
        for part in role.parts:
            yield from _class(part, "###")
    yield "## Errors"
    yield ""
    yield "All codes and sentences: [Errors](errors.md)."
    yield ""
    yield from table(("error", "means"), ((f"`{each.__name__}`", _said(each)) for each in ERRORS))
    yield "## What they take and give"
    yield ""
    for neighbour in _neighbours():
        yield from _class(neighbour, "###")


def _class(part: type[Any], level: str) -> Iterator[str]:
    yield f"{level} {part.__name__}"
    yield ""
    yield f"`{part.__module__}.{part.__name__}`"
    yield ""
    yield _said(part)
    yield ""
    if issubclass(part, Model):
        yield from fields(part.model_json_schema())
    elif issubclass(part, BaseModel) or is_dataclass(part):
        # Fields that hold a class or a function have no JSON Schema.
        yield from table(("field", "type"), ((f"`{name}`", f"`{kind}`") for name, kind in _annotations(part)))
    for name, method in _methods(part):
        yield "```python"
        yield _signature(name, method)
        yield "```"
        yield ""
        yield _said(method)
        yield ""


def _annotations(part: type[Any]) -> Iterator[tuple[str, str]]:
    for name, kind in inspect.get_annotations(part).items():
        if not name.startswith("_") and "ClassVar" not in str(kind):
            yield name, str(kind)


def _methods(part: type[Any]) -> Iterator[tuple[str, Any]]:
    """Walk over what a class itself defines for others."""
    for name, found in vars(part).items():
        if not name.startswith("_") and (inspect.isfunction(found) or isinstance(found, property)):
            yield name, found


def _function(method: Any) -> Any:
    return method.fget if isinstance(method, property) else method


def _signature(name: str, method: Any) -> str:
    """Write a signature as it is in the source, a parameter a line when it is long."""
    signature = inspect.signature(_function(method))
    head = "@property\ndef" if isinstance(method, property) else "def"
    said = f"{head} {name}{signature}".replace("'", "")
    if len(said) <= 110:
        return f"{said}: ..."
    parameters = [str(each).replace("'", "") for each in signature.parameters.values()]
    kinds = [each.kind for each in signature.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds:
        parameters.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    result = str(signature.return_annotation).replace("'", "")
    return f"{head} {name}(\n" + "".join(f"    {each},\n" for each in parameters) + f") -> {result}: ..."


def _said(part: Any) -> str:
    """Return a docstring as Markdown."""
    return _MARKUP.sub(lambda found: f"`{found[1] or found[2]}`", inspect.cleandoc(part.__doc__ or ""))


@cache
def _neighbours() -> tuple[type[Model], ...]:
    """Find the models that the protocols take and give, and those inside them, by name."""
    parts = {part for role in ROLES for part in role.parts}
    found: dict[str, type[Model]] = {}
    waiting: list[Any] = [
        kind for part in parts for _, method in _methods(part) for kind in get_type_hints(_function(method)).values()
    ]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if inspect.isclass(kind) and issubclass(kind, Model) and kind not in parts and kind.__name__ not in found:
            found[kind.__name__] = kind
            waiting += [field.annotation for field in kind.model_fields.values()]
    return tuple(found[name] for name in sorted(found))
