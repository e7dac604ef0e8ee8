"""What a tenant still lacks before every flow can answer its customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from smarteros.contracts.models import Contract
from smarteros.domain.tenants import Tenant
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.secrets.protocol import SecretKeeper

# Systems that everybody has: registration sees to the first two, and a machine of ours reads without the third.
_NOT_ASKED_FOR = frozenset({"chatwoot", "botpress", "ocr"})


def missing(
    tenant: Tenant, contracts: Iterable[Contract], secrets: SecretKeeper, knowledge: KnowledgeBase
) -> tuple[str, ...]:
    """Say in sentences what is missing: systems of the contracts without any secret, and texts to answer from."""
    has = {entry.path.partition("/")[0] for entry in secrets.entries(tenant.scope)}
    flows: defaultdict[str, list[str]] = defaultdict(list)
    for contract in contracts:
        for system in sorted({path.partition("/")[0] for path in contract.secrets}):
            if system not in has and system not in _NOT_ASKED_FOR:
                flows[system].append(contract.flow_id)
    said = [
        f"{system}: no credentials; {', '.join(names)} hands such questions to people"
        for system, names in flows.items()
    ]
    if tenant.ocr_engine != "local" and "ocr" not in has:
        said.append("ocr: secret ocr/api_key, which the chosen reader of photos needs")
    if not knowledge.documents(tenant.scope):
        said.append(f"kb: the shop's texts; smos kb import --tenant {tenant.tenant_id} FILE...")
    return tuple(said)
