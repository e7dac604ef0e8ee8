"""``decide``: ask the agent, then hold its decision against the contract's thresholds."""

from __future__ import annotations

from smarteros.agents.options import options_of
from smarteros.contracts.models import Contract
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest, Decision, OcrEntities
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, DocumentReading, ResolvedTurn
from smarteros.flow.parts import Parts
from smarteros.observability.steps import watched

# Routes on which a wrong guess would state something; the others only ask or hand over.
_ROUTES_THAT_ANSWER = frozenset({"shopify_sales", "support", "odoo_invoice_lookup", "kb_direct"})
_LONGEST_TEXT = 4000


class DecideStep:
    """Turns messages into a Decision and the flow that answers it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(self, turn: ClaimedTurn, resolved: ResolvedTurn) -> DecidedTurn:
        """Decide the turn."""
        start = turn.start
        tenant = self._parts.tenants.get(start.tenant_id)
        with watched("decide", start.tenant_id, start.turn_id) as watch:
            request = agent_request(tenant, resolved)
            decision = self._parts.patiently(lambda: self._parts.agent.decide(request))
            decided = self.believe(resolved, decision)
        return decided.model_copy(update={"duration_ms": watch.duration_ms})

    def believe(self, resolved: ResolvedTurn, decision: Decision) -> DecidedTurn:
        """Hold a decision, whoever made it, against the contract, and find the flow it belongs to."""
        contract = self._flow_of(resolved, decision)
        # The flow that owns the intent says how sure one must be of it, whichever flow answers.
        owner = contract if resolved.photo else self._parts.contracts.flow_for_intent(decision.intent)
        doubtful = decision.confidence < owner.agent.thresholds.of(decision.intent)
        if doubtful and decision.route in _ROUTES_THAT_ANSWER and not resolved.photo:
            decision = decision.model_copy(
                update={"route": "clarify", "reply": None, "second_reply": None, "actions": ()}
            )
            contract = self._parts.contracts.flow_for_route("clarify")
        if decision.route == "clarify":
            decision = decision.model_copy(update={"options": options_of(decision.candidates)})
        return DecidedTurn(flow_id=contract.flow_id, decision=decision)

    def _flow_of(self, resolved: ResolvedTurn, decision: Decision) -> Contract:
        """The flow of the attachment or of the intent, unless only another one has texts for the route."""
        contracts = self._parts.contracts
        contract = contracts.flow_for_attachment("image") if resolved.photo else None
        contract = contract or contracts.flow_for_intent(decision.intent)
        if any(rule.route == decision.route for rule in contract.reply):
            return contract
        return contracts.flow_for_route(decision.route)


def agent_request(tenant: Tenant, resolved: ResolvedTurn) -> AgentRequest:
    """Write the question to the agent: the JSON body of the agent endpoint."""
    last = resolved.messages[-1]
    reading = resolved.reading
    message = AgentMessage(
        id=last.id,
        type="image_with_text" if resolved.photo else "text",
        content=resolved.text[:_LONGEST_TEXT],
        attachments=tuple(a.model_dump(mode="json") for m in resolved.messages for a in m.attachments),
        ocr_extracted_text=reading.text[:_LONGEST_TEXT] if reading else None,
        # A doubtful number would be looked up like a good one.
        ocr_entities=_ocr_entities(reading) if reading and reading.trusted else None,
    )
    context = AgentContext(
        language=tenant.language,
        shopify_connected=True,
        ocr_confidence=reading.confidence if reading else None,
        invoice_detected=reading.invoice_detected if reading else None,
        history=resolved.history,
        state=resolved.state,
        now=last.created_at,
    )
    return AgentRequest(
        tenant_id=tenant.tenant_id,
        channel=last.channel,
        conversation_id=last.conversation_id,
        contact=last.contact,
        message=message,
        context=context,
    )


def _ocr_entities(reading: DocumentReading) -> OcrEntities:
    known = {name: reading.fields.get(name) for name in OcrEntities.model_fields}
    return OcrEntities.model_validate(known)
