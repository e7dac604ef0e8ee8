"""How a conversation is given to the shop's people, whoever decides it: a turn, the console, or the look for lost
messages. The contract's section ``hand_over`` says how people find it, the private note what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.channels.protocol import Channel
from smarteros.contracts.loader import ContractSet
from smarteros.domain.tenants import Tenant
from smarteros.flow.links import Links
from smarteros.store.database import Database
from smarteros.store.turns import list_turns, remembered

_LONGEST_QUOTE = 600


@dataclass(frozen=True)
class HandOvers:
    """Hands over with the marks of the contract."""

    channel: Channel
    contracts: ContractSet
    links: Links

    def of_turn(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None,
        flow_id: str | None,
        rule: str | None,
        turn_id: str | None,
    ) -> None:
        """Hand over because of a turn. One of no flow is marked as the default flow wants it, as in its record.

        Raises what the channel raises. Doing it twice changes nothing.
        """
        desk = self.contracts.by_id.get(flow_id or "", self.contracts.default_flow).hand_over.of(rule)
        link = None if turn_id is None else self.links.turn(turn_id)
        told = note if link is None else f"{note}\n• Este turno en la consola: {link}"
        self.channel.hand_over(tenant, conversation_id, told, account_id=account_id, desk=desk)

    def outside_a_turn(
        self,
        database: Database,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None,
        rule: str,
    ) -> None:
        """Hand over without a turn: what is remembered of the conversation tells its flow, and ends the note."""
        with database.tenant(tenant.scope) as connection:
            known = remembered(connection, tenant.tenant_id, conversation_id)
            last = list_turns(connection, tenant.tenant_id, conversation_id, 1)
        if known.history:
            note = f"{note}\n• Lo último que leyó el bot: {known.history[-1][:_LONGEST_QUOTE]}"
        self.of_turn(
            tenant,
            conversation_id,
            note,
            account_id=account_id,
            flow_id=known.state.flow_id,
            rule=rule,
            turn_id=last[0].turn_id if last else None,
        )
