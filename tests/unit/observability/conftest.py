"""What a collector of traces hears of this process, and a bench with a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.support import serving
from tests.unit.flow.bench import Bench
from tests.unit.store.queued import TurnQueue, plain_traces, turn_queue

from smarteros.observability.tracing import open_tracing
from smarteros.store.database import Database

__all__ = ["plain_traces", "turn_queue"]


class Collector:
    """An OTLP collector. A process has one provider of tracers, so all tests here share it."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.app = Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    @property
    def provider(self) -> TracerProvider:
        return cast("TracerProvider", trace.get_tracer_provider())

    async def _take(self, request: Request) -> Response:
        self.requests.append(ExportTraceServiceRequest.FromString(await request.body()))
        return Response(media_type="application/x-protobuf")


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    collector = Collector()
    with serving(collector.app) as url:
        close = open_tracing(f"{url}/v1/traces")
        yield collector
        close()


@pytest.fixture(scope="session")
def all_spans(collector: Collector) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    collector.provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def spans(all_spans: InMemorySpanExporter) -> InMemorySpanExporter:
    """The spans of this test."""
    all_spans.clear()
    return all_spans


@pytest.fixture
def bench(database: Database, turn_queue: TurnQueue) -> Bench:
    return Bench(database, turn_queue)
