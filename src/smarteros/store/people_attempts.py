"""How often signing in failed, by account and by address: shared by all processes, so that none can be played off.

An attempt is counted before the password is looked at and taken back when it was right: of many at once no more get
through than are allowed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from smarteros.store.people_tables import sign_in_attempts

LONGEST_WAIT_S = 900
# Failures this long ago are forgotten.
FORGOTTEN_AFTER = timedelta(hours=24)

_COUNT = sa.text(
    """
    INSERT INTO smos.sign_in_attempts AS a (subject, failures, last_at, blocked_until)
    VALUES (:subject, 1, :now, CAST(:now AS timestamptz) + make_interval(secs =>
            CASE WHEN 1 < :free THEN 0 ELSE 1 END))
    ON CONFLICT (subject) DO UPDATE SET
      failures = CASE WHEN a.last_at < :forgotten THEN 1 ELSE a.failures + 1 END,
      last_at = :now,
      blocked_until = CAST(:now AS timestamptz) + make_interval(secs => CASE
        WHEN a.last_at < :forgotten OR a.failures + 1 < :free THEN 0
        ELSE least(power(2, least(a.failures + 1 - :free, 20)), :longest) END)
    WHERE a.blocked_until <= :now
    RETURNING 1
    """
)


def count_attempt(connection: sa.Connection, subject: str, now: datetime, *, free: int) -> float:
    """Count an attempt as failed; returns 0.0, or how many seconds to wait (then it is not counted).

    The first ``free`` failures cost nothing; the wait after the next is one second, then it doubles up to 15 minutes.
    """
    values = {"subject": subject, "now": now, "forgotten": now - FORGOTTEN_AFTER, "free": free}
    if connection.execute(_COUNT, values | {"longest": LONGEST_WAIT_S}).one_or_none() is not None:
        return 0.0
    until = sa.select(sign_in_attempts.c.blocked_until).where(sign_in_attempts.c.subject == subject)
    return max(0.001, (connection.execute(until).scalar_one() - now).total_seconds())


def forgive(connection: sa.Connection, account: str, address: str, now: datetime) -> None:
    """Take back a successful attempt: the account's failures are forgotten, the address has one less.

    What is older than a day goes too, so that the table stays small.
    """
    attempts = sign_in_attempts
    connection.execute(
        sa.delete(attempts).where(sa.or_(attempts.c.subject == account, attempts.c.last_at < now - FORGOTTEN_AFTER))
    )
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.subject == address)
        .values(failures=sa.func.greatest(attempts.c.failures - 1, 0), blocked_until=now)
    )
