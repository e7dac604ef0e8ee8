"""What is amiss, who was told of it, and who shall not be told for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarteros.alerts.places import page_about
from smarteros.alerts.texts import alert_texts
from smarteros.alerts.watch import names_of_alerts
from smarteros.console.access import Visitor
from smarteros.console.guard import Form, Guard, form_of, not_found, scope_for, scopes_for
from smarteros.console.journal import note
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.domain.alerts import Alert, Silence
from smarteros.domain.model import Model
from smarteros.domain.people import Person
from smarteros.store.alerts import add_silence, end_silence, last_round, open_alerts, past_alerts, silences_at
from smarteros.store.database import NO_TENANT

_PAST = timedelta(days=7)
_PAST_SHOWN = 50
# Workers look every 15 seconds.
_ROUND_IS_OLD = timedelta(minutes=3)
_LENGTHS = {
    "30m": timedelta(minutes=30),
    "2h": timedelta(hours=2),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
_LONGEST_REASON = 200
_PAGE = "/console/alerts"


class ShownAlert(Model):
    """An alert with the sentence that says what is amiss; ``silenced`` while nobody is told of it.

    ``page`` is another page of the console about it, if there is one.
    """

    alert: Alert
    text: str
    page: str | None
    silenced: bool


class Board(Model):
    """What is on, what was, and the silences the person may end."""

    firing: tuple[ShownAlert, ...]
    past: tuple[ShownAlert, ...]
    silences: tuple[Silence, ...]


def add_alerts(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""

    @router.get("/alerts")
    def alerts(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_alerts")
        person, now = visitor.person, parts.clock.now()
        wanted, tenants = request.query_params.get("tenant", ""), parts.tenants_of(person)
        scopes = (scope_for(parts, person, wanted),) if wanted else scopes_for(parts, person)
        with parts.database.installation() as connection:
            looked_at = last_round(connection)
        return pages.page(
            request,
            "alerts.html",
            visitor=visitor,
            token=guard.token(request),
            tenants=tenants,
            names={tenant.tenant_id: tenant.name for tenant in tenants},
            chosen=wanted,
            board=_board(parts, person, scopes, now),
            looked_at=looked_at,
            watched=looked_at is not None and now - looked_at < _ROUND_IS_OLD,
            alert_names=sorted(names_of_alerts(parts.contracts)),
            lengths=tuple(_LENGTHS),
            alerts_elsewhere=parts.alerts_elsewhere,
            done=request.query_params.get("done"),
        )

    @router.post("/alerts/silence")
    def silence(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor, form = guard.allowed(request, "silence_alerts"), form_of(request)
        _silence(parts, visitor, scope_for(parts, visitor.person, form.get("tenant", "")), form)
        return RedirectResponse(f"{_PAGE}?done=silence", status_code=303)

    @router.post("/alerts/unsilence")
    def unsilence(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor, form = guard.allowed(request, "silence_alerts"), form_of(request)
        _unsilence(parts, visitor, scope_for(parts, visitor.person, form.get("tenant", "")), form)
        return RedirectResponse(f"{_PAGE}?done=unsilence", status_code=303)


def _board(parts: ConsoleParts, person: Person, scopes: tuple[str, ...], now: datetime) -> Board:
    texts = alert_texts(person.language)
    with parts.database.scoped(NO_TENANT) as connection:
        everywhere = silences_at(connection, NO_TENANT, now)
    alerts: list[Alert] = []
    past: list[Alert] = []
    silences: list[Silence] = []
    for scope in scopes:
        with parts.database.scoped(scope) as connection:
            alerts += open_alerts(connection, scope)
            past += past_alerts(connection, scope, now - _PAST)
            silences += everywhere if scope == NO_TENANT else silences_at(connection, scope, now)
    covering = [*everywhere, *silences]

    def shown(alert: Alert) -> ShownAlert:
        held = any(silence.covers(alert) for silence in covering)
        about = page_about(alert)
        page = None if about.startswith(_PAGE) else about
        return ShownAlert(alert=alert, text=texts.sentence(alert, "firing", now), page=page, silenced=held)

    # What is over and not yet told to everybody is over for whoever reads this.
    past += (alert for alert in alerts if alert.resolved_at is not None)
    return Board(
        firing=tuple(map(shown, _newest(alert for alert in alerts if alert.resolved_at is None))),
        past=tuple(map(shown, _newest(past)[:_PAST_SHOWN])),
        silences=tuple(sorted(silences, key=lambda each: each.until_at)),
    )


def _newest(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: alert.started_at, reverse=True)


def _silence(parts: ConsoleParts, visitor: Visitor, scope: str, form: Form) -> None:
    name, length, now = form.get("name", ""), _LENGTHS.get(form.get("length", "")), parts.clock.now()
    if length is None or (name and name not in names_of_alerts(parts.contracts)):
        raise not_found()
    wanted = Silence(
        silence_id=0,
        tenant_id=scope,
        name=name or None,
        reason=form.get("reason", "").strip()[:_LONGEST_REASON],
        made_by=visitor.person.called,
        made_at=now,
        until_at=now + length,
    )
    with parts.database.scoped(scope) as connection:
        made = add_silence(connection, wanted)
        note(
            connection,
            now,
            "console_alert_silenced",
            visitor.person,
            tenant_id=_tenant(scope),
            silence=made.silence_id,
            alert=name or "*",
        )


def _unsilence(parts: ConsoleParts, visitor: Visitor, scope: str, form: Form) -> None:
    number = form.get("silence", "")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise not_found()
    now, silence_id = parts.clock.now(), int(number)
    with parts.database.scoped(scope) as connection:
        if not end_silence(connection, scope, silence_id, now):
            raise not_found()
        note(
            connection,
            now,
            "console_alert_unsilenced",
            visitor.person,
            tenant_id=_tenant(scope),
            silence=silence_id,
        )


def _tenant(scope: str) -> str | None:
    return None if scope == NO_TENANT else scope
