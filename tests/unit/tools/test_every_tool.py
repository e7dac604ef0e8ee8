"""What holds for every tool, and that docs/tools.md says the same of each as the code does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.conformance.odoo_situations import SITUATIONS
from tests.support import MemorySecrets

from smarteros.contracts.loader import load_contracts
from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall
from smarteros.kit.http import HttpClient
from smarteros.observability import tracing
from smarteros.observability.metrics import REGISTRY
from smarteros.tools.breaker import FAILURES_TO_OPEN
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolContext, ToolProvider

ROOT = Path(__file__).parents[3]
TENANT = Tenant(
    tenant_id="TENANT_OF_DEAD_SYSTEMS",
    name="Sola SpA",
    rut="76543210-3",
    tenant_key="0123456789abcdef",
    chatwoot_url="http://127.0.0.1:1",
    chatwoot_account_ids=(1,),
    shopify_url="http://127.0.0.1:1",
    odoo_company_id=1,
    odoo_database="x",
)
SECRETS = {
    "shopify/admin_token": "shpat_x",
    "shopify/store_domain": "sola.myshopify.com",
    "odoo/api_key": "x",
    "odoo/instance_url": "http://127.0.0.1:1",
}
MARIA = Contact(id=1, phone="+56912345678", proven="+56912345678")
LINES = {"lines": [{"variant_id": "gid://shopify/ProductVariant/1"}]}
NUMBER = {"invoice_number": "INV-2025-001"}
QUESTIONS = {
    "shopify_search_products": {"query": "botas"},
    "shopify_get_product": {"product_id": "gid://shopify/Product/1"},
    "shopify_recommend_products": {"query": "botas"},
    "shopify_check_stock": LINES,
    "shopify_create_cart": LINES,
    "shopify_order_status": {},
    "odoo_find_invoice": NUMBER,
    "odoo_customer_history": {},
    "odoo_list_invoices_by_contact": {},
    "odoo_create_ticket": {**NUMBER, "kind": "return", "confirmed": True},
}


@pytest.fixture(scope="module")
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def tools(http: HttpClient) -> ToolProvider:
    secrets = MemorySecrets({(TENANT.tenant_id, path): value for path, value in SECRETS.items()})
    return embedded_tools(http=http, secrets=secrets, cache=MemoryToolCache(), policy_of=lambda _scope: Policy())


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing._making, "tracer", provider.get_tracer("test"))
    return exporter


def value(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, {"tenant": TENANT.tenant_id, **labels}) or 0.0


@pytest.mark.parametrize("tool", QUESTIONS)
def test_a_system_that_is_not_there_is_told_counted_timed_and_then_left_alone(
    tool: str, tools: ToolProvider, spans: InMemorySpanExporter
) -> None:
    service, context = tool.partition("_")[0], ToolContext(conversation_id=1, contact=MARIA, today=date(2026, 11, 23))
    fault, timed = {"service": service, "code": f"{service}_unavailable"}, {"tool": tool, "outcome": "error"}
    before = value("smos_tool_faults_total", **fault), value("smos_tool_duration_seconds_count", **timed)
    call = ToolCall(tool=tool, params=QUESTIONS[tool])
    for _ in range(FAILURES_TO_OPEN):
        result = tools.call(TENANT, call, context, timeout_ms=20_000, fallback=False)
        assert (result.outcome, result.error_code, result.retryable) == ("error", f"{service}_unavailable", True)
    assert value("smos_tool_faults_total", **fault) == before[0] + FAILURES_TO_OPEN
    assert value("smos_tool_duration_seconds_count", **timed) == before[1] + FAILURES_TO_OPEN
    assert value("smos_upstream_consecutive_failures", service=service) >= FAILURES_TO_OPEN
    assert {(span.name, (span.attributes or {})["smos.outcome"]) for span in spans.get_finished_spans()} == {
        (f"tool {tool}", "error")
    }
    left_alone = tools.call(TENANT, call, context, timeout_ms=20_000, fallback=False)
    assert (left_alone.error_code, left_alone.retryable) == ("circuit_open", True)


def test_the_table_of_the_docs_says_what_the_code_does(tools: ToolProvider) -> None:
    rows = [line for line in (ROOT / "docs" / "tools.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    told = {cells[0].strip("`"): cells[1:] for row in rows if len(cells := row.strip("| ").split(" | ")) == 8}
    contracts = load_contracts(ROOT / "contracts").by_id.values()
    recorded = how_often_recorded()
    assert set(told) == {spec.name for spec in tools.specs()} == set(QUESTIONS)
    for spec in tools.specs():
        system, changes, again, ms, tries, away, situations = told[spec.name]
        section = next((each.tools[spec.name] for each in contracts if spec.name in each.tools), None)
        assert system == spec.name.partition("_")[0]
        assert (changes == "no", again == "reads again") == (spec.read_only, spec.read_only)
        assert spec.read_only or spec.idempotent
        assert (ms, tries) == (("–", "–") if section is None else (str(section.timeout_ms), str(section.retries)))
        assert (away == "the last 24 h") == (section is not None and section.fallback == "cache_24h")
        assert int(situations) == recorded[spec.name]


def how_often_recorded() -> Counter[str]:
    """Count the recordings of each tool; of Odoo's there is one for each version of it."""
    folder = ROOT / "tests" / "fixtures"
    shop = (json.loads(path.read_text("utf-8"))["result"]["tool"] for path in (folder / "shopify").glob("*.json"))
    erp = (SITUATIONS[path.name.partition(".")[0]].tool for path in (folder / "odoo").glob("*.json"))
    return Counter([*shop, *erp])
