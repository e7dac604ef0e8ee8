"""The private note for the person who takes over: what the customer wants, and what was tried."""

from __future__ import annotations

from collections.abc import Iterator

from smarteros.domain.decisions import OtherPhoto, PhotoShows
from smarteros.domain.messages import AttachmentKind
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import InvoiceLookup, OrderLookup, ToolResult
from smarteros.domain.turns import DecidedTurn, DocumentReading, ResolvedTurn, ToolsCalled
from smarteros.flow.links import Links

_LONGEST_QUOTE = 600
_MOST_FILES = 5
_NO_LINK = "sin enlace"
_LOOKUPS: dict[str, type[InvoiceLookup] | type[OrderLookup]] = {
    "odoo_find_invoice": InvoiceLookup,
    "shopify_order_status": OrderLookup,
}
_FILES: dict[AttachmentKind, str] = {"image": "foto", "audio": "audio", "video": "video"}
_PRINTED = {"invoice_number": "número", "purchase_date": "fecha", "product_name": "producto", "total": "total"}
# The codes of ``documents.timbre.verify``, for the shop's people.
_DOUBTS = {
    "frmt_invalid": "la firma del timbre no corresponde a su contenido",
    "frma_invalid": "la autorización de folios del timbre no está firmada por el SII",
    "caf_of_another_issuer": "los folios del timbre fueron autorizados a otro emisor",
    "caf_of_another_kind": "los folios del timbre fueron autorizados para otro tipo de documento",
    "folio_not_authorised": "el folio está fuera del rango autorizado",
    "issued_before_authorised": "la fecha del documento es anterior a la autorización de sus folios",
    "other_issuer": "el timbre es de otro emisor",
    "total_differs": "el total impreso no es el del timbre",
    "number_differs": "el número impreso no es el del timbre",
    "date_differs": "la fecha impresa no es la del timbre",
    "issuer_differs": "el RUT impreso del emisor no es el del timbre",
    "claimed_by_another": "otro cliente ya envió un documento con este timbre",
}
_SHOWS: dict[PhotoShows, str] = {
    "invoice": "otra boleta o factura",
    "unreadable": "no se pudo leer",
    "no_invoice": "no es una boleta: quizás el producto o la falla",
    "not_read": "no se leyó, eran demasiadas",
}


def summary_for_agent(
    links: Links, tenant: Tenant, resolved: ResolvedTurn, decided: DecidedTurn | None, called: ToolsCalled
) -> str:
    """Write the summary in Spanish, the language of the shops' people: what was asked, tried and found, and where."""
    lines = ["**Resumen del bot**", f"• Cliente: {_who(resolved)}", f"• Escribió: {_quote(resolved)}"]
    if decided is not None:
        decision = decided.decision
        lines.append(f"• Entendí: {decision.intent} (confianza {decision.confidence:.2f})")
        if decision.frustrated:
            lines.append("• El cliente está molesto.")
    lines.extend(f"• Consulté {result.tool}: {result.outcome}{_found(result)}" for result in called.results)
    lines.extend(_records(links, tenant, called))
    if resolved.reading is not None:
        lines.extend(_document(resolved.reading))
    lines.extend(_attached(resolved))
    lines.extend(_other_photos((*resolved.state.other_photos, *resolved.other_photos)))
    return "\n".join(lines)


def _lookup(result: ToolResult) -> InvoiceLookup | OrderLookup | None:
    model = _LOOKUPS.get(result.tool)
    return None if model is None or result.data is None else model.model_validate(result.data)


def _found(result: ToolResult) -> str:
    """What a look-up came to; ``ok`` alone does not tell that nothing was found."""
    lookup = _lookup(result)
    if lookup is None or (lookup.found and lookup.identity_verified):
        return ""
    return ", pero no consta que sea de quien pregunta" if lookup.found else ", sin encontrar nada"


def _records(links: Links, tenant: Tenant, called: ToolsCalled) -> Iterator[str]:
    """What the shop's people will want to open: the orders and invoices that were looked up."""
    for lookup in map(_lookup, called.results):
        if isinstance(lookup, OrderLookup) and lookup.order is not None:
            number = lookup.order.number
            yield f"• Pedido {number}: {links.order(tenant, number) or _NO_LINK}"
        if isinstance(lookup, InvoiceLookup) and lookup.invoice is not None:
            link = links.invoice(tenant, lookup.invoice.record_id)
            yield f"• Factura o boleta {lookup.invoice.number}: {link or _NO_LINK}"


def _attached(resolved: ResolvedTurn) -> Iterator[str]:
    files = [file for message in resolved.messages for file in message.attachments]
    for file in files[:_MOST_FILES]:
        yield f"• Adjunto ({_FILES.get(file.kind, 'archivo')}): {file.url}"


def _document(reading: DocumentReading) -> Iterator[str]:
    if reading.invoice_detected:
        timbre = reading.timbre.replace("_", " ")
        yield f"• Boleta o factura leída con confianza {reading.confidence:.2f}, timbre {timbre}{_fields(reading)}"
    else:
        yield "• No pude leer una boleta o factura en lo que envió."
    if reading.fraud is not None:
        why = _DOUBTS.get(reading.fraud, reading.fraud[:_LONGEST_QUOTE])
        yield f"• Revisa el documento antes de seguir, sin acusar al cliente: {why}"


def _fields(reading: DocumentReading) -> str:
    known = [f"{name} {str(reading.fields[key])[:120]}" for key, name in _PRINTED.items() if reading.fields.get(key)]
    return f" ({', '.join(known)})" if known else ""


def _other_photos(photos: tuple[OtherPhoto, ...]) -> Iterator[str]:
    if photos:
        listed = "; ".join(f"mensaje {photo.message_id} ({_SHOWS[photo.shows]})" for photo in photos)
        yield f"• Otras fotos suyas, guardadas en la conversación: {listed}"


def _who(resolved: ResolvedTurn) -> str:
    if not resolved.messages:
        return "sin datos"
    contact = resolved.messages[-1].contact
    return ", ".join(part for part in (contact.name, contact.phone, contact.email) if part) or "sin datos"


def _quote(resolved: ResolvedTurn) -> str:
    text = resolved.text or "(sin texto)"
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
