"""Traces: a turn is one trace, from the webhook to the reply, whichever processes work on it.

The trace's id is derived from the turn's, so nothing has to be carried from the edge to a worker or kept in the
database, a turn that is taken over goes on in its trace, and who has one id has the other. The webhook is the root.
Without ``SMOS_OTLP_URL`` no span is made; ids and log lines are the same.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from structlog.contextvars import bound_contextvars

from smarteros.domain.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

SCOPE = "smarteros"
_SAMPLED = trace.TraceFlags(trace.TraceFlags.SAMPLED)
# The turn whose webhook's span is being made.
_root_of: ContextVar[str | None] = ContextVar("root_of", default=None)


@dataclass
class _Making:
    """Who makes spans in this process; nobody while they are sent nowhere."""

    tracer: trace.Tracer | None = None


_making = _Making()


def trace_id_of(turn_id: str) -> str:
    """Return the id of a turn's trace: 32 hexadecimal digits."""
    return _digest(turn_id)[:32]


def _span_id_of(turn_id: str) -> str:
    """The id of the span of the webhook that opened the turn: 16 hexadecimal digits."""
    return _digest(turn_id)[32:48]


def _digest(turn_id: str) -> str:
    return hashlib.sha256(f"trace:{turn_id}".encode()).hexdigest()


def trace_webhook(tenant_id: str, turn_id: str, seconds: float) -> None:
    """Tell of the webhook that has opened a turn, ``seconds`` after it came."""
    if _making.tracer is None:
        return
    token = _root_of.set(turn_id)
    ended = time.time_ns()
    try:
        attributes = {"smos.tenant": tenant_id, "smos.turn": turn_id}
        span = _making.tracer.start_span(
            "receive", context=Context(), attributes=attributes, start_time=ended - round(seconds * 1e9)
        )
    finally:
        _root_of.reset(token)
    span.end(ended)


@contextmanager
def traced_turn(tenant_id: str, turn_id: str) -> Generator[None]:
    """Work on a turn: its spans and log lines bear its ids."""
    digest = _digest(turn_id)
    trace_id = digest[:32]
    with bound_contextvars(tenant=tenant_id, turn=turn_id, trace_id=trace_id):
        if _making.tracer is None:
            yield
            return
        webhook = trace.SpanContext(int(trace_id, 16), int(digest[32:48], 16), is_remote=True, trace_flags=_SAMPLED)
        context = trace.set_span_in_context(trace.NonRecordingSpan(webhook), Context())
        attributes = {"smos.tenant": tenant_id, "smos.turn": turn_id}
        with _current(_making.tracer.start_span("turn", context=context, attributes=attributes)):
            yield


@contextmanager
def traced(name: str, tenant_id: str, turn_id: str | None = None) -> Generator[trace.Span]:
    """Do a step or a part of one under a span of its own.

    An exception's text may quote a customer: its kind is told only.
    """
    if _making.tracer is None:
        yield trace.INVALID_SPAN
        return
    attributes = {"smos.tenant": tenant_id} if turn_id is None else {"smos.tenant": tenant_id, "smos.turn": turn_id}
    span = _making.tracer.start_span(name, attributes=attributes)
    with _current(span):
        try:
            yield span
        except BaseException as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


@contextmanager
def _current(span: trace.Span) -> Generator[None]:
    """Let what is traced meanwhile hang below a span, which then ends: without the API's nested generators."""
    token = attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        detach(token)
        span.end()


def open_tracing(url: str | None) -> Callable[[], None]:
    """Send spans to an OTLP collector (``http://collector:4318/v1/traces``) from now on; returns what ends it.

    Raises ConfigError (``otlp_not_installed``) without the extra ``otlp``. Without a URL nothing is loaded or done.
    """
    if url is None:
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise ConfigError("otlp_not_installed", "SMOS_OTLP_URL needs the extra: uv sync --extra otlp.") from error
    provider, close = spans_to(OTLPSpanExporter(endpoint=url))
    trace.set_tracer_provider(provider)
    return close


def spans_to(exporter: SpanExporter) -> tuple[TracerProvider, Callable[[], None]]:
    """Make spans from now on and give ours to an exporter; returns the provider, and what ends it."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    from smarteros.observability.turn_spans import OwnSpans, TurnIds

    resource = Resource.create({"service.name": SCOPE, "service.version": version(SCOPE)})
    # The library's default asks the span above, which is sampled always; who wants less says so in its own setting.
    sampler = None if "OTEL_TRACES_SAMPLER" in os.environ else ALWAYS_ON
    provider = TracerProvider(
        sampler=sampler, resource=resource, id_generator=TurnIds(_root_ids), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OwnSpans(exporter, SCOPE)))
    _making.tracer = provider.get_tracer(SCOPE)

    def close() -> None:
        _making.tracer = None
        provider.shutdown()

    return provider, close


def _root_ids() -> tuple[int, int] | None:
    """Return trace and span id of the webhook whose span is being made."""
    turn_id = _root_of.get()
    return None if turn_id is None else (int(trace_id_of(turn_id), 16), int(_span_id_of(turn_id), 16))
