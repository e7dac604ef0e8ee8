"""What the database refuses because its tenant is another installation's, as the one error everybody knows it by."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Move

# What ``smos.refuse_change_of_moved`` says (migration 22).
_REFUSED = re.compile(r"tenant (\S+) has moved to another installation:")
_WHERE_TO = "SELECT settings -> 'move' FROM smos.tenants WHERE tenant_id = %s"


def refusal_of_moved(driver: psycopg.Connection[Any], error: BaseException) -> RejectedInputError | None:
    """Make what ``Tenant.require_at_home`` raises of the refusal of a moved tenant's row; None for any other error.

    ``driver`` is the connection it came by, its transaction ended.
    """
    refused = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(refused, psycopg.errors.ObjectNotInPrerequisiteState):
        return None
    named = _REFUSED.match(refused.diag.message_primary or "")
    row = driver.execute(_WHERE_TO, [named[1]]).fetchone() if named else None
    return None if row is None or named is None or row[0] is None else Move.model_validate(row[0]).refusal(named[1])
