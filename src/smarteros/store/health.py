"""What health checks saw, kept as stretches of equal answers, and what became of a time's messages."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from smarteros.domain.availability import Stretch
from smarteros.domain.model import Model
from smarteros.store.health_tables import health_stretches
from smarteros.store.statements import run

# An answer like the last one, in time, makes its stretch longer; any other begins a new one.
_GOES_ON = """
UPDATE smos.health_stretches AS s SET last_at = %(at)s, probes = s.probes + 1
 WHERE s.tenant_id = %(tenant_id)s AND s.service = %(service)s AND s.up = %(up)s
   AND s.last_at <= %(at)s AND s.last_at + make_interval(secs => s.valid_s) >= %(at)s
   AND s.began_at = (SELECT max(began_at) FROM smos.health_stretches
                      WHERE tenant_id = %(tenant_id)s AND service = %(service)s)
"""
_BEGINS = """
INSERT INTO smos.health_stretches (tenant_id, service, began_at, last_at, up, valid_s)
VALUES (%(tenant_id)s, %(service)s, %(at)s, %(at)s, %(up)s, %(valid_s)s) ON CONFLICT DO NOTHING
"""
_DOWN_SINCE = """
SELECT service, began_at FROM (
  SELECT DISTINCT ON (service) service, began_at, up, last_at + make_interval(secs => valid_s) AS until
    FROM smos.health_stretches WHERE tenant_id = %(tenant_id)s ORDER BY service, began_at DESC) AS last
 WHERE NOT up AND until > %(now)s ORDER BY service
"""
_TRAFFIC = sa.text(
    """
SELECT (SELECT count(*) FROM smos.turns WHERE tenant_id = :tenant_id AND received_at >= :start
           AND received_at < :end AND outcome = 'answered') AS answered,
       (SELECT count(*) FROM smos.turns WHERE tenant_id = :tenant_id AND received_at >= :start
           AND received_at < :end AND outcome = 'escalated') AS handed_over,
       (SELECT count(*) FROM smos.turns WHERE tenant_id = :tenant_id AND received_at >= :start
           AND received_at < :end AND outcome = 'failed') AS failed,
       (SELECT count(*) FROM smos.audit_events WHERE tenant_id = :tenant_id AND event ->> 'kind' = 'reconciled'
           AND recorded_at >= :start AND recorded_at < :end
           AND event -> 'details' ->> 'outcome' IN ('apologised', 'left')) AS too_late,
       (SELECT count(*) FROM (
          SELECT 1 FROM smos.turns WHERE tenant_id = :tenant_id AND received_at >= :start AND received_at < :end
             AND outcome IN ('answered', 'escalated', 'failed')
           GROUP BY date_trunc('minute', received_at) HAVING bool_and(outcome = 'failed')) AS minutes) AS minutes_lost
"""
)


class Traffic(Model):
    """What became of the messages that wanted an answer. ``too_late`` were found when nobody would be helped any more.

    ``minutes_lost`` are those in which somebody wrote and nobody was served.
    """

    answered: int
    handed_over: int
    failed: int
    too_late: int
    minutes_lost: int

    @property
    def served(self) -> int:
        """Customers who got an answer or a person."""
        return self.answered + self.handed_over

    @property
    def lost(self) -> int:
        """Customers who got neither."""
        return self.failed + self.too_late

    @property
    def ratio(self) -> float | None:
        """The part that was served, 0 to 1; None when nobody wrote."""
        return self.served / (self.served + self.lost) if self.served + self.lost else None


def record_probe(
    connection: sa.Connection, tenant_id: str, service: str, *, up: bool, at: datetime, valid_s: float
) -> None:
    """Keep what a probe saw; the connection is in the tenant's scope, or in nobody's for our own services."""
    values = {"tenant_id": tenant_id, "service": service, "up": up, "at": at, "valid_s": valid_s}
    if run(connection, _GOES_ON, values).rowcount == 0:
        run(connection, _BEGINS, values)


def down_since(connection: sa.Connection, tenant_id: str, now: datetime) -> dict[str, datetime]:
    """Return the services that the last probes found down, with the instant of the first of these probes."""
    rows = run(connection, _DOWN_SINCE, {"tenant_id": tenant_id, "now": now})
    return {row.service: row.began_at for row in rows}


def stretches(
    connection: sa.Connection, tenant_id: str, start: datetime, end: datetime
) -> dict[str, tuple[Stretch, ...]]:
    """Return by service what was seen in a time, or before it and still held in it."""
    table = health_stretches
    holds_until = table.c.last_at + sa.func.make_interval(0, 0, 0, 0, 0, 0, table.c.valid_s)
    wanted = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.began_at < end, holds_until > start)
    found: dict[str, list[Stretch]] = {}
    for row in connection.execute(wanted.order_by(table.c.service, table.c.began_at)).mappings():
        kept = {name: row[name] for name in Stretch.model_fields}
        found.setdefault(row["service"], []).append(Stretch.model_validate(kept))
    return {service: tuple(seen) for service, seen in found.items()}


def traffic(connection: sa.Connection, tenant_id: str, start: datetime, end: datetime) -> Traffic:
    """Count what became of the messages received in a time."""
    values = {"tenant_id": tenant_id, "start": start, "end": end}
    return Traffic.model_validate(dict(connection.execute(_TRAFFIC, values).mappings().one()))
