"""What a shop's owner is told by e-mail: the week's unanswered questions, and a change that waits for approval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from typing import Any

import jinja2

from smarteros.domain.gaps import GapReason, StoredGap
from smarteros.domain.knowledge import Category
from smarteros.domain.upkeep import WaitingChange
from smarteros.kit.clock import in_santiago
from smarteros.knowledge.upkeep.weekly import WeeklyReport

_ANSWERS_SHOWN = 10
_LONGEST_SUBJECT = 150
_MATTERS: dict[Category, str] = {
    "horarios": "Horarios",
    "ubicacion": "Ubicación",
    "pago": "Formas de pago",
    "envios": "Despachos y pedidos",
    "devoluciones": "Cambios y devoluciones",
    "garantia": "Garantía",
    "contacto": "Contacto",
    "otros": "Otros temas",
}
_REASONS: dict[GapReason, str] = {
    "not_sure": "El bot no entendió con seguridad qué querían.",
    "not_in_kb": "Entendió, pero ningún texto tuyo lo responde.",
    "out_of_scope": "Le pareció que no tenía que ver con tu tienda.",
}


def weekly_mail(report: WeeklyReport) -> EmailMessage:
    """Write the weekly report, as text and as HTML; sender and receivers are still missing."""
    subject = f"Preguntas sin respuesta de la semana: {report.shop}"
    return _mail(
        "weekly",
        subject,
        report=report,
        since=_day(report.since),
        until=_day(report.until),
        labels=_MATTERS,
        reasons=_REASONS,
        times=_times,
    )


def waiting_mail(shop: str, waiting: WaitingChange) -> EmailMessage:
    """Write that a change waits for approval; sender and receivers are still missing."""
    answers = waiting.report.answers
    return _mail(
        "waiting",
        f"Un cambio de tus textos espera aprobación: {shop}",
        shop=shop,
        origin=waiting.change.origin,
        report=waiting.report,
        answers=answers[:_ANSWERS_SHOWN],
        left_out=max(0, len(answers) - _ANSWERS_SHOWN),
    )


def addressed(mail: EmailMessage, sender: str, to: Sequence[str], now: datetime) -> EmailMessage:
    """Complete a mail: from whom, to whom, when (an aware instant)."""
    mail["From"] = Address("SmarterOS", addr_spec=sender)
    mail["To"] = [Address(addr_spec=address) for address in to]
    mail["Date"] = format_datetime(in_santiago(now))
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _mail(template: str, subject: str, **values: Any) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())[:_LONGEST_SUBJECT]  # a shop's name must not become a header
    plain, page = (_templates().get_template(f"{template}.{kind}.j2") for kind in ("txt", "html"))
    mail.set_content(plain.render(subject=subject, **values))
    mail.add_alternative(page.render(subject=subject, **values), subtype="html")
    return mail


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("smarteros.knowledge.upkeep", "data"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _day(instant: datetime) -> str:
    return f"{in_santiago(instant):%d-%m-%Y}"


def _times(question: StoredGap) -> str:
    return "1 vez" if question.times == 1 else f"{question.times} veces"
