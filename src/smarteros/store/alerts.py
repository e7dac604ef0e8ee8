"""Alerts and silences of the transaction's tenant (or of the installation, scope ``-``)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.alerts import Alert, Silence
from smarteros.store.alert_tables import alert_rounds, alert_silences, alerts

_FIELDS = [column for column in alerts.c if column.name != "closed_at"]
_EVALUATOR = "built-in"


def raise_alert(connection: sa.Connection, alert: Alert, *, once_within: timedelta | None = None) -> None:
    """Write a new alert down; nothing happens when it is there already and not closed.

    Nor does it when somebody was told of the same one less than ``once_within`` before.
    """
    if once_within is not None and _was_told(connection, alert, alert.started_at - once_within):
        return
    values = alert.model_dump(mode="json", exclude={"alert_id", "started_at", "resolved_at"})
    statement = insert(alerts).values(**values, started_at=alert.started_at, resolved_at=alert.resolved_at)
    connection.execute(statement.on_conflict_do_nothing())


def _was_told(connection: sa.Connection, alert: Alert, since: datetime) -> bool:
    same = (alerts.c.tenant_id == alert.tenant_id, alerts.c.key == alert.key)
    told = sa.select(alerts.c.alert_id).where(*same, alerts.c.started_at > since, alerts.c.told != {})
    return bool(connection.execute(sa.select(told.exists())).scalar_one())


def open_alerts(connection: sa.Connection, tenant_id: str) -> list[Alert]:
    """Return the alerts that are not over, or of whose end somebody must still be told, oldest first."""
    statement = sa.select(*_FIELDS).where(alerts.c.tenant_id == tenant_id, alerts.c.closed_at.is_(None))
    return _read(connection, statement.order_by(alerts.c.alert_id))


def past_alerts(connection: sa.Connection, tenant_id: str, since: datetime) -> list[Alert]:
    """Return the alerts that are over and began after an instant, oldest first."""
    statement = sa.select(*_FIELDS).where(
        alerts.c.tenant_id == tenant_id, alerts.c.closed_at.is_not(None), alerts.c.started_at >= since
    )
    return _read(connection, statement.order_by(alerts.c.alert_id))


def save_alert(connection: sa.Connection, alert: Alert, closed_at: datetime | None = None) -> None:
    """Write down how an alert stands, and that it is over when everybody has been told so."""
    told = {sink: each.model_dump(mode="json") for sink, each in alert.told.items()}
    connection.execute(
        sa.update(alerts)
        .where(alerts.c.alert_id == alert.alert_id)
        .values(value=alert.value, resolved_at=alert.resolved_at, told=told, closed_at=closed_at)
    )


def forget_alerts(connection: sa.Connection, tenant_id: str, before: datetime) -> None:
    """Remove what was over before an instant."""
    connection.execute(sa.delete(alerts).where(alerts.c.tenant_id == tenant_id, alerts.c.closed_at < before))
    connection.execute(
        sa.delete(alert_silences).where(alert_silences.c.tenant_id == tenant_id, alert_silences.c.until_at < before)
    )


def add_silence(connection: sa.Connection, silence: Silence) -> Silence:
    """Keep a silence; it gets its number."""
    values = silence.model_dump(exclude={"silence_id"})
    made = connection.execute(insert(alert_silences).values(**values).returning(alert_silences.c.silence_id))
    return silence.model_copy(update={"silence_id": made.scalar_one()})


def silences_at(connection: sa.Connection, tenant_id: str, now: datetime) -> list[Silence]:
    """Return the silences in force."""
    statement = sa.select(alert_silences).where(
        alert_silences.c.tenant_id == tenant_id, alert_silences.c.until_at > now
    )
    return [Silence.model_validate(dict(row)) for row in connection.execute(statement).mappings()]


def end_silence(connection: sa.Connection, tenant_id: str, silence_id: int, now: datetime) -> bool:
    """End a silence now; False when there is none of that number in force."""
    statement = (
        sa.update(alert_silences)
        .where(
            alert_silences.c.tenant_id == tenant_id,
            alert_silences.c.silence_id == silence_id,
            alert_silences.c.until_at > now,
        )
        .values(until_at=now)
    )
    return connection.execute(statement).rowcount == 1


def note_round(connection: sa.Connection, now: datetime) -> None:
    """Write down that all alerts were looked at."""
    statement = insert(alert_rounds).values(evaluator=_EVALUATOR, ended_at=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["evaluator"], set_={"ended_at": now}))


def last_round(connection: sa.Connection) -> datetime | None:
    """Return when all alerts were last looked at."""
    return connection.execute(sa.select(alert_rounds.c.ended_at)).scalar()


def _read(connection: sa.Connection, statement: sa.Select[tuple[object, ...]]) -> list[Alert]:
    return [Alert.model_validate(dict(row)) for row in connection.execute(statement).mappings()]
