"""Hand-overs that somebody wants to hear of at once: an escalation rule of the contract with ``notify``."""

from __future__ import annotations

from datetime import timedelta

from smarteros.contracts.models import Contract
from smarteros.domain.alerts import Alert
from smarteros.domain.turns import TurnRecord

ONCE_WITHIN = timedelta(days=1)
"""Of one conversation people are told once in this time: who is angry says so more than once."""


def moment_of(contract: Contract, record: TurnRecord) -> Alert | None:
    """Return the alert of a turn that ended by such a rule; None for every other turn."""
    if record.outcome != "escalated":
        return None
    rule = next((rule for rule in contract.escalation if rule.name == record.rule and rule.notify), None)
    if rule is None:
        return None
    return Alert(
        tenant_id=record.tenant_id,
        key=f"{rule.name}:{record.conversation_id}",
        name=rule.name,
        signal="escalation",
        flow_id=record.flow_id,
        subject=str(record.conversation_id),
        severity="ticket",
        notify=rule.notify,
        moment=True,
        started_at=record.finished_at or record.received_at,
    )
