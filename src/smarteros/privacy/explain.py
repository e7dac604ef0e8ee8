"""Why the bot said what it said (Ley 21.719: whoever an automated answer was given to may ask how it came about).

Everything is read from the turn's record; nothing is decided again. Two readers: the shop's customer, in plain Spanish,
and the operator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from smarteros.agents.llm.protocol import LlmCall, LlmLedger
from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import Candidate, Decision, Intent
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TRUSTED_CONFIDENCE, DocumentReading, Outcome
from smarteros.store.turn_inputs import RecordedTurn

_FACT_LOCK = "fact_lock"
_LONGEST_PASSAGE = 300


class Understood(Model):
    """What was understood. ``threshold`` is the least confidence at which the intent is answered without asking."""

    intent: Intent
    confidence: float
    threshold: float
    route: str
    language: str
    entities: dict[str, Any]
    candidates: tuple[Candidate, ...]
    frustrated: bool

    @property
    def is_doubtful(self) -> bool:
        """Whether the bot had to ask back."""
        return self.confidence < self.threshold


class UsedPassage(Model):
    """A passage of the shop's own texts; ``score`` is the retrieval's, comparable within one question only."""

    document: str
    title: str
    score: float
    text: str


class UsedTool(Model):
    """What a tool was asked for gave: its data as it came, None when it failed."""

    tool: str
    outcome: str
    error_code: str | None
    duration_ms: float
    data: dict[str, Any] | None


class AskedOutside(Model):
    """A question to a language model or to the shop's own bot, and what became of the answer (docs/botpress.md)."""

    provider: str
    model: str
    outcome: str


class UsedText(Model):
    """The contract's rule whose text was written; ``template`` is None where the text is no contract's."""

    rule: str
    template: str | None


class Explanation(Model):
    """How an automatic answer came about. ``for_customer`` may be sent to him as it is."""

    turn_id: str
    received_at: datetime
    flow_id: str
    contract_version: str | None
    outcome: Outcome | None
    reason: str | None
    message: str
    understood: Understood | None
    reading: DocumentReading | None
    ocr_threshold: float = TRUSTED_CONFIDENCE
    passages: tuple[UsedPassage, ...] = ()
    asked: tuple[AskedOutside, ...] = ()
    tools: tuple[UsedTool, ...] = ()
    text: UsedText | None = None
    fact_lock: bool = False
    reply: str | None = None
    for_customer: str = ""

    def in_words(self) -> Iterator[str]:
        """Write it for the operator's terminal, after what the customer is told."""
        yield from (
            "For the customer:",
            *(f"  {line}" for line in self.for_customer.splitlines()),
            "",
            "For the operator:",
        )
        yield f"  turn       {self.turn_id} of {self.received_at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"  flow       {self.flow_id} {self.contract_version or ''}".rstrip()
        yield f"  message    {self.message or '(no text)'!r}"
        if self.understood is not None:
            yield from _understood_in_words(self.understood)
        if self.reading is not None:
            read = f"{self.reading.kind}, confidence {self.reading.confidence:.2f}, threshold {self.ocr_threshold:.2f}"
            yield f"  document   {read}, timbre {self.reading.timbre}, doubt {self.reading.fraud or 'none'}"
        for passage in self.passages:
            yield f"  passage    {passage.document} › {passage.title} (score {passage.score:.2f}): {passage.text!r}"
        for each in self.asked:
            yield f"  asked      {each.provider} {each.model}: {each.outcome}"
        for tool in self.tools:
            code = f" {tool.error_code}" if tool.error_code else ""
            yield f"  tool       {tool.tool}: {tool.outcome}{code}, {tool.duration_ms:.0f} ms"
        if self.text is not None:
            yield f"  template   {self.text.rule}: {self.text.template or '(not a text of the contract)'!r}"
        if self.fact_lock:
            yield "  fact lock  words without a source were not sent"
        yield f"  outcome    {self.outcome} {self.reason or ''}".rstrip()
        yield f"  reply      {self.reply!r}"


def explain(tenant: Tenant, turn: RecordedTurn, contracts: ContractSet, calls: Sequence[LlmCall] = ()) -> Explanation:
    """Explain a finished turn. Thresholds and templates are those of the contracts in force now.

    ``calls`` are the questions to somebody outside that were asked for it (see ``asked_for``).
    """
    record, decision = turn.record, turn.record.decision
    explained = Explanation(
        turn_id=record.turn_id,
        received_at=record.received_at,
        flow_id=record.flow_id,
        contract_version=None if turn.inputs is None else turn.inputs.contract_version,
        outcome=record.outcome,
        reason=record.reason,
        message="" if turn.inputs is None else turn.inputs.resolved.text,
        understood=None if decision is None else _understood(decision, record.flow_id, record.reading, contracts),
        reading=record.reading,
        passages=() if decision is None else _passages(decision),
        asked=tuple(AskedOutside(provider=call.provider, model=call.model, outcome=call.outcome) for call in calls),
        tools=tuple(UsedTool.model_validate(tool.model_dump(exclude={"retryable"})) for tool in record.tool_results),
        text=_text(turn, contracts),
        fact_lock=_FACT_LOCK in (record.rule, record.reason),
        reply=record.reply_text,
    )
    told = "\n".join(_for_customer(tenant, explained))
    return explained.model_copy(update={"for_customer": told})


def asked_for(ledger: LlmLedger, tenant: Tenant, turn: RecordedTurn) -> tuple[LlmCall, ...]:
    """Return the questions to a language model or a bot that were asked to decide a turn."""
    record = turn.record
    last = turn.inputs.resolved.messages[-1].id if turn.inputs and turn.inputs.resolved.messages else record.message_id
    return ledger.calls(tenant.scope, record.conversation_id, last)


def _understood(
    decision: Decision, flow_id: str, reading: DocumentReading | None, contracts: ContractSet
) -> Understood:
    # As in ``decide``: the flow that owns the intent says how sure one must be, with a photo the flow that answers.
    photo = reading is not None and flow_id in contracts.by_id
    owner = contracts.by_id[flow_id] if photo else contracts.flow_for_intent(decision.intent)
    return Understood(
        intent=decision.intent,
        confidence=decision.confidence,
        threshold=owner.agent.thresholds.of(decision.intent),
        route=decision.route,
        language=decision.language,
        entities=decision.entities.model_dump(exclude_none=True),
        candidates=decision.candidates,
        frustrated=decision.frustrated,
    )


def _passages(decision: Decision) -> tuple[UsedPassage, ...]:
    return tuple(
        UsedPassage(document=used.document, title=used.title, score=used.score, text=used.text[:_LONGEST_PASSAGE])
        for used in decision.rag_context
    )


def _text(turn: RecordedTurn, contracts: ContractSet) -> UsedText | None:
    record, decision = turn.record, turn.record.decision
    if record.rule is None:
        return None
    contract = contracts.by_id.get(record.flow_id)
    route = None if decision is None else decision.route
    texts = []
    if contract is not None:
        texts = [rule.text for rule in contract.escalation if rule.name == record.rule]
        texts += [rule.text for rule in contract.reply if rule.outcome == record.rule and rule.route == route]
    spoken = next(iter(texts), None)
    if spoken is None or decision is None:
        return UsedText(rule=record.rule, template=None)
    return UsedText(rule=record.rule, template=spoken.en if decision.language == "en" else spoken.es)


def _understood_in_words(understood: Understood) -> Iterator[str]:
    sure = f"confidence {understood.confidence:.2f}, threshold {understood.threshold:.2f}"
    yield f"  understood {understood.intent} ({sure}), route {understood.route}, language {understood.language}"
    if understood.candidates:
        listed = ", ".join(f"{other.intent} {other.probability:.2f}" for other in understood.candidates)
        yield f"  candidates {listed}"
    if understood.entities:
        yield f"  entities   {', '.join(f'{name}={value}' for name, value in understood.entities.items())}"


def _for_customer(tenant: Tenant, explained: Explanation) -> Iterator[str]:
    said: dict[str, str] = _data()["sentences"]
    yield said["who"].format(shop=tenant.name)
    understood, reading = explained.understood, explained.reading
    if understood is not None:
        values = {
            "intent": _data()["intents"][understood.intent],
            "confidence": _percent(understood.confidence),
            "threshold": _percent(understood.threshold),
        }
        asks = understood.is_doubtful and reading is None
        yield said["doubtful" if asks else "understood"].format(**values)
    if reading is not None:
        sure = {"confidence": _percent(reading.confidence), "threshold": _percent(explained.ocr_threshold)}
        yield said["photo" if reading.invoice_detected else "photo_unused"].format(**sure)
    for title in dict.fromkeys(passage.title for passage in explained.passages):
        yield said["passage"].format(title=title)
    for tool in explained.tools:
        if tool.tool in _data()["tools"]:
            words = {"tool": _data()["tools"][tool.tool], "outcome": _data()["tool_outcomes"][tool.outcome]}
            yield said["tool"].format(**words)
    if explained.text is not None and explained.text.template is not None:
        yield said["template"]
    if explained.fact_lock:
        yield said["fact_lock"]
    because = _data()["reasons"].get(explained.reason or "")
    yield because or _data()["outcomes"][explained.outcome or "failed"]
    yield said["review"]


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


@cache
def _data() -> dict[str, Any]:
    return yaml.safe_load(files("smarteros.privacy").joinpath("data/explain.yml").read_text("utf-8"))
