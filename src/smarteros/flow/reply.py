"""``reply``: choose the contract's text, make sure nobody else is speaking, and post it exactly once."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.contracts.expressions import ReplyContext, render
from smarteros.contracts.loader import escalation_rule, reply_rule
from smarteros.contracts.models import BothLanguages, Contract
from smarteros.domain.decisions import DialogueState
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart
from smarteros.flow.context import reply_context
from smarteros.flow.fence import Fence, FencedError
from smarteros.flow.parts import Parts
from smarteros.flow.summary import summary_for_agent
from smarteros.observability.steps import watched

_OCR_TRUSTED = 0.70
_WHY_NOT_SENT = {
    "outside_window": "Pasaron más de 24 horas desde su último mensaje: el canal solo acepta una plantilla.",
    "loop_guard": "Demasiadas respuestas seguidas: puede que al otro lado haya otro bot.",
}


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
            summary = summary_for_agent(resolved, decided, called)
            try:
                replied = self._send(tenant, start, resolved, chosen, summary)
            except FencedError as fenced:
                replied = stopped(self._parts, tenant, start, fenced.replied, summary, chosen.text)
                # Nothing of this draft was said: what it would have led to is not to be remembered.
                state = resolved.state
        return replied.model_copy(update={"state": state, "duration_ms": watch.duration_ms})

    def _send(
        self, tenant: Tenant, start: TurnStart, resolved: ResolvedTurn, chosen: ChosenText, summary: str
    ) -> Replied:
        fence = Fence(self._parts, tenant, start, resolved)
        fence.look()
        fence.send(chosen.text)
        replied_at = self._parts.clock.now()
        if chosen.escalate:
            hand_over(self._parts, tenant, start, summary)
        return Replied(
            outcome="escalated" if chosen.escalate else "answered",
            rule=chosen.rule,
            text=chosen.text,
            replied_at=replied_at,
        )


def stopped(parts: Parts, tenant: Tenant, start: TurnStart, replied: Replied, summary: str, draft: str) -> Replied:
    """End a turn whose reply was fenced: what the customer will not read goes to a person, with the reason."""
    if replied.outcome == "escalated":
        why = _WHY_NOT_SENT.get(replied.reason or "", replied.reason or "")
        hand_over(parts, tenant, start, f"{summary}\n• {why}\n• Respuesta que no envié: {draft}")
        return replied.model_copy(update={"rule": replied.reason})
    return replied


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
