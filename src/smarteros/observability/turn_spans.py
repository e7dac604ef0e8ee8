"""What the tracing SDK is told of our traces. Imported only when spans are sent somewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator


class TurnIds(RandomIdGenerator):
    """Ids of spans: derived from the turn for its webhook, by chance for all others."""

    def __init__(self, root: Callable[[], tuple[int, int] | None]) -> None:
        """``root`` returns trace and span id while the span of a turn's webhook is being made."""
        self._root = root

    def generate_trace_id(self) -> int:
        """Return the id of a new trace."""
        root = self._root()
        return super().generate_trace_id() if root is None else root[0]

    def generate_span_id(self) -> int:
        """Return the id of a new span."""
        root = self._root()
        return super().generate_span_id() if root is None else root[1]


class OwnSpans(SpanExporter):
    """Sends our own spans only: their attributes are ids and codes. Libraries put what they like into theirs."""

    def __init__(self, behind: SpanExporter, scope: str) -> None:
        self._behind = behind
        self._scope = scope

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send those of ``spans`` that are ours."""
        own = [span for span in spans if span.instrumentation_scope and span.instrumentation_scope.name == self._scope]
        return self._behind.export(own) if own else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._behind.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._behind.force_flush(timeout_millis)
