"""``reply``: choose the contract's text, make sure nobody else is speaking, and post it exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smarteros.contracts.expressions import ReplyContext, holds, render
from smarteros.contracts.loader import escalation_rule, reply_rule
from smarteros.contracts.models import BothLanguages, Contract
from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStart, TurnStory
from smarteros.flow.context import reply_context
from smarteros.flow.fence import Fence, FencedError
from smarteros.flow.parts import Parts
from smarteros.flow.summary import summary_for_agent
from smarteros.observability.steps import watched

_MOST_OTHER_PHOTOS = 8
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

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn, decided: DecidedTurn, called: ToolsCalled) -> Replied:
        """Reply to the turn."""
        tenant = self._parts.tenants.get(turn.start.tenant_id)
        with watched("reply", tenant.tenant_id, turn.start.turn_id) as watch:
            policy = self._parts.knowledge.policy(tenant.scope)
            facts = reply_context(tenant, policy, resolved, decided, called.results)
            chosen = choose_text(self._parts.contracts.by_id[decided.flow_id], facts)
            ending = Replied(
                outcome="escalated" if chosen.escalate else "answered",
                rule=chosen.rule,
                text=chosen.text,
                state=_next_state(resolved, decided, facts, chosen),
            )
            summary = summary_for_agent(resolved, decided, called)
            draft = TurnStory(resolved=resolved, decided=decided, called=called, replied=ending, summary=summary)
            replied = post(self._parts, tenant, turn, draft)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})

    def resume(self, turn: ClaimedTurn, draft: TurnStory) -> Replied:
        """Finish a turn whose worker died with this draft written down."""
        tenant = self._parts.tenants.get(turn.start.tenant_id)
        with watched("reply", tenant.tenant_id, turn.start.turn_id) as watch:
            replied = post(self._parts, tenant, turn, draft, again=True)
        return replied.model_copy(update={"duration_ms": watch.duration_ms})


def post(parts: Parts, tenant: Tenant, turn: ClaimedTurn, draft: TurnStory, *, again: bool = False) -> Replied:
    """Post a draft through the fence and hand over when that is how it ends; ``again`` after an earlier attempt."""
    fence = Fence(parts, tenant, turn)
    try:
        text, posted = fence.carry_through(draft) if again else fence.send(draft)
    except FencedError as fenced:
        ended = stopped(parts, tenant, turn.start, fenced.replied, draft.summary, draft.replied.text or "")
        # Nothing of this draft was said: what it would have led to is not to be remembered.
        return ended.model_copy(update={"state": draft.resolved.state})
    update: dict[str, Any] = {"text": text, "message_id": posted.message_id, "replied_at": parts.clock.now()}
    if draft.replied.outcome == "escalated":
        try:
            hand_over(parts, tenant, turn.start, draft.summary)
        except SmosError as error:
            # The customer has been told of a person: that nobody was called must not look like a success.
            update |= {"outcome": "failed", "reason": error.code}
    return draft.replied.model_copy(update=update)


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
    text = _write(rule.text, facts)
    if not rule.escalate:
        notices = [_write(notice.text, facts) for notice in contract.notices if holds(notice.when, facts)]
        text = "\n\n".join((*notices, text))
    return ChosenText(rule.outcome, text, escalate=rule.escalate, pending=rule.pending)


def _write(text: BothLanguages, facts: ReplyContext) -> str:
    return render(text.en if facts.language == "en" else text.es, facts)


def _cart(decided: DecidedTurn) -> tuple[str, ...]:
    """Variants of the cart that was prepared in this turn."""
    lines = [
        line
        for action in decided.decision.actions
        if action.tool == "shopify_create_cart"
        for line in action.params.get("lines", ())
    ]
    return tuple(str(line["variant_id"]) for line in lines if line.get("variant_id"))


def _next_state(resolved: ResolvedTurn, decided: DecidedTurn, facts: ReplyContext, chosen: ChosenText) -> DialogueState:
    """Return what the next turn must know."""
    failed = facts.photo and not (facts.reading and facts.reading.trusted)
    return DialogueState.model_validate(
        {
            "flow_id": decided.flow_id,
            "intent": facts.intent,
            "language": facts.language,
            "entities": facts.entities,
            "offered": facts.products or resolved.state.offered,
            "pending": chosen.pending,
            "options": decided.decision.options,
            "foreign": decided.decision.foreign or resolved.state.foreign,
            "cart": _cart(decided) or resolved.state.cart,
            "clarifications": resolved.state.clarifications + 1 if facts.route == "clarify" else 0,
            "failed_photos": resolved.state.failed_photos + 1 if failed else 0,
            "other_photos": (*resolved.state.other_photos, *resolved.other_photos)[-_MOST_OTHER_PHOTOS:],
        }
    )
