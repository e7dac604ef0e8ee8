"""The private note for the person who takes over: what the customer wants, and what was tried."""

from __future__ import annotations

from smarteros.domain.turns import DecidedTurn, ResolvedTurn, ToolsCalled

_LONGEST_QUOTE = 600


def summary_for_agent(resolved: ResolvedTurn, decided: DecidedTurn | None, called: ToolsCalled) -> str:
    """Write the summary in Spanish, the language of the shops' people."""
    lines = ["**Resumen del bot**", f"• Cliente: {_who(resolved)}", f"• Escribió: {_quote(resolved)}"]
    if decided is not None:
        decision = decided.decision
        lines.append(f"• Entendí: {decision.intent} (confianza {decision.confidence:.2f})")
        if decision.frustrated:
            lines.append("• El cliente está molesto.")
    lines.extend(f"• Consulté {result.tool}: {result.outcome}" for result in called.results)
    if resolved.reading is not None:
        lines.append(f"• Foto de boleta o factura leída con confianza {resolved.reading.confidence:.2f}")
    return "\n".join(lines)


def _who(resolved: ResolvedTurn) -> str:
    if not resolved.messages:
        return "sin datos"
    contact = resolved.messages[-1].contact
    return ", ".join(part for part in (contact.name, contact.phone, contact.email) if part) or "sin datos"


def _quote(resolved: ResolvedTurn) -> str:
    text = resolved.text or "(sin texto)"
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
