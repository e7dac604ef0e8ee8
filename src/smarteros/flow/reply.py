"""``reply``: choose the contract's text, make sure nobody else is speaking, and post it exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smarteros.contracts.expressions import ReplyContext, render
from smarteros.contracts.loader import escalation_rule, reply_rule
from smarteros.contracts.models import BothLanguages, Contract
from smarteros.domain.decisions import DialogueState
from smarteros.domain.ids import reply_id
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart
from smarteros.flow.context import reply_context
from smarteros.flow.parts import Parts
from smarteros.flow.summary import summary_for_agent
from smarteros.observability.steps import watched
from smarteros.store.events import newer_message_waits, release_messages
from smarteros.store.turns import confirm_reply, intend_reply

# A customer who goes on writing gets one answer to everything; but not later than this after his first message.
_MERGE_FOR = timedelta(seconds=5)
_OCR_TRUSTED = 0.70


@dataclass(frozen=True)
class ChosenText:
    """The contract's text for this turn and what follows from it."""

    rule: str
    text: str
    escalate: bool
    pending: str | None


class ReplyStep:
    """Answers the customer, or is silent when a person has taken over."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, start: TurnStart, resolved: ResolvedTurn, decided: DecidedTurn, called: ToolsCalled) -> Replied:
        """Reply to the turn."""
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("reply", start.tenant_id, start.turn_id) as watch:
            policy = self._parts.knowledge.policy(tenant.scope)
            facts = reply_context(tenant, policy, resolved, decided, called.results)
            chosen = choose_text(self._parts.contracts.by_id[decided.flow_id], facts)
            state = _next_state(resolved, decided, facts, chosen)
            replied = self._unless_fenced(tenant, start, resolved) or self._send(
                tenant, start, chosen, summary_for_agent(resolved, decided, called)
            )
        return replied.model_copy(update={"state": state, "duration_ms": watch.duration_ms})

    def _unless_fenced(self, tenant: Tenant, start: TurnStart, resolved: ResolvedTurn) -> Replied | None:
        """Stop the reply when a newer message waits (it will be answered with this one) or a person took over."""
        young = self._parts.clock.now() - start.received_at < _MERGE_FOR
        with self._parts.database.tenant(tenant.scope) as connection:
            last = resolved.messages[-1].id
            if young and newer_message_waits(connection, tenant.tenant_id, start.conversation_id, last):
                release_messages(connection, tenant.tenant_id, start.turn_id)
                return Replied(outcome="merged", reason="newer_message")
        return muted(self._parts, tenant, start)

    def _send(self, tenant: Tenant, start: TurnStart, chosen: ChosenText, summary: str) -> Replied:
        send_once(self._parts, tenant, start, chosen.text)
        replied_at = self._parts.clock.now()
        if chosen.escalate:
            hand_over(self._parts, tenant, start, summary)
        return Replied(
            outcome="escalated" if chosen.escalate else "answered",
            rule=chosen.rule,
            text=chosen.text,
            replied_at=replied_at,
        )


def send_once(parts: Parts, tenant: Tenant, start: TurnStart, text: str) -> None:
    """Post the turn's reply. Repeated after a crash, it finds the first one by its marker and posts no second."""
    reply = OutgoingReply(
        reply_id=reply_id(start.turn_id),
        conversation_id=start.conversation_id,
        account_id=start.account_id,
        text=text,
    )
    with parts.database.tenant(tenant.scope) as connection:
        intended_before = intend_reply(connection, tenant.tenant_id, start.turn_id, reply)
    posted = parts.patiently(lambda: parts.channel.post(tenant, reply, maybe_sent=intended_before))
    with parts.database.tenant(tenant.scope) as connection:
        confirm_reply(connection, reply.reply_id, posted.message_id, parts.clock.now())


def muted(parts: Parts, tenant: Tenant, start: TurnStart) -> Replied | None:
    """Read the conversation again; when a person leads it, the turn ends in silence."""
    now = parts.patiently(
        lambda: parts.channel.conversation(tenant, start.conversation_id, account_id=start.account_id)
    )
    if now.assigned_to_human:
        return Replied(outcome="muted", reason="human_assigned")
    if now.status != "pending":
        return Replied(outcome="muted", reason=f"conversation_{now.status}")
    return None


def hand_over(parts: Parts, tenant: Tenant, start: TurnStart, note: str) -> None:
    """Give the conversation to a person, with the summary as a private note."""
    parts.patiently(lambda: parts.channel.hand_over(tenant, start.conversation_id, note, account_id=start.account_id))


def choose_text(contract: Contract, facts: ReplyContext) -> ChosenText:
    """Pick the escalation or reply rule that holds and write its text in the customer's language.

    ConfigError when no rule holds; the linter refuses such a contract, so this is a contract that was not linted.
    """
    escalation = escalation_rule(contract.escalation, facts)
    if escalation is not None:
        return ChosenText(escalation.name, _write(escalation.text, facts), escalate=True, pending=None)
    rule = reply_rule(contract, facts)
    return ChosenText(rule.outcome, _write(rule.text, facts), escalate=rule.escalate, pending=rule.pending)


def _write(text: BothLanguages, facts: ReplyContext) -> str:
    return render(text.en if facts.language == "en" else text.es, facts)


def _next_state(resolved: ResolvedTurn, decided: DecidedTurn, facts: ReplyContext, chosen: ChosenText) -> DialogueState:
    """Return what the next turn must know."""
    failed = facts.photo and not (facts.reading and facts.reading.confidence >= _OCR_TRUSTED)
    return DialogueState.model_validate(
        {
            "flow_id": decided.flow_id,
            "intent": facts.intent,
            "language": facts.language,
            "entities": facts.entities,
            "offered": facts.products or resolved.state.offered,
            "pending": chosen.pending,
            "clarifications": resolved.state.clarifications + 1 if facts.route == "clarify" else 0,
            "failed_photos": resolved.state.failed_photos + 1 if failed else 0,
        }
    )
