"""What a tenant's callers may read beside calling tools: the shop's texts, and the contracts of the bot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from urllib.parse import quote, unquote

from smarteros.contracts.documentation import markdown
from smarteros.contracts.loader import ContractSet
from smarteros.domain.knowledge import Passage
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock, in_santiago
from smarteros.knowledge.protocol import KnowledgeBase

KNOWLEDGE = "smos://knowledge/"
CONTRACTS = "smos://contracts/"


class Text(Model):
    """One text that can be read, without its words. ``uri`` is its address, ``name`` is unique among its kind."""

    uri: str
    name: str
    title: str
    description: str


class Library:
    """The texts of every tenant. Of the shop's own only what its customers may be told today: no drafts."""

    def __init__(self, knowledge: KnowledgeBase, contracts: ContractSet, clock: Clock) -> None:
        self._knowledge = knowledge
        self._contracts = contracts
        self._clock = clock

    def texts(self, tenant: Tenant) -> tuple[Text, ...]:
        """List the tenant's documents and the contracts."""
        told = {passage.document for passage in self._told(tenant)}
        documents = (
            Text(
                uri=KNOWLEDGE + quote(document.name, safe=""),
                name=document.name,
                title=document.title,
                description=f"Texto de {tenant.name} ({document.category})",
            )
            for document in self._knowledge.documents(tenant.scope)
            if document.name in told
        )
        contracts = (
            Text(
                uri=CONTRACTS + contract.flow_id,
                name=contract.flow_id,
                title=f"{contract.flow_id} {contract.version}",
                description=contract.description.es,
            )
            for contract in self._contracts.by_id.values()
        )
        return (*documents, *contracts)

    def read(self, tenant: Tenant, uri: str) -> str | None:
        """Return one text as Markdown; None when the tenant has none of that address."""
        if uri.startswith(CONTRACTS):
            contract = self._contracts.by_id.get(uri.removeprefix(CONTRACTS))
            return markdown(contract) if contract else None
        if not uri.startswith(KNOWLEDGE):
            return None
        name = unquote(uri.removeprefix(KNOWLEDGE))
        passages = [passage for passage in self._told(tenant) if passage.document == name]
        return "\n\n".join(f"## {passage.title}\n\n{passage.text.strip()}" for passage in passages) or None

    def _told(self, tenant: Tenant) -> Iterator[Passage]:
        today: date = in_santiago(self._clock.now()).date()
        for passage in self._knowledge.passages(tenant.scope):
            if passage.approval == "approved" and passage.holds_on(today):
                yield passage
