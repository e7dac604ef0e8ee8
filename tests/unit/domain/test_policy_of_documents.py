"""Policy figures from the front matter of a shop's own documents."""

from __future__ import annotations

from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_AROMO")


def test_a_shop_states_periods_in_general_and_by_category() -> None:
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    figures = "warranty_days: 90\nreturn_days: 30\nzapatillas_warranty_days: 180\nwithdrawal_days: 10"
    knowledge.replace(SCOPE, (parse_markdown("garantia.md", f"---\n{figures}\n---\n# Garantía\n"),))
    policy = knowledge.policy(SCOPE)

    assert (policy.warranty_days, policy.return_days, policy.withdrawal_days) == (90, 30, 10)
    assert policy.for_product("Zapatilla Running Azul").warranty_days == 180
    assert policy.for_product("Bota Trekking").warranty_days == 90
