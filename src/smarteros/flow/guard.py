"""Running one named step: whatever goes wrong in it is a SmosError, and a database that is away is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.turns import StepName
from smarteros.flow.given_back import GivenBackError

T = TypeVar("T")

_log = structlog.get_logger()

# A step that met a dead database waits for it: there is nothing else it could do, not even hand over.
_STORE_PATIENCE_S = 600.0
_STORE_RETRY_S = 0.2


def step(name: StepName, work: Callable[..., T], *arguments: Any) -> T:
    """Run one step of the current turn. A fault nobody foresaw is a PermanentError, logged with its trace.

    A database that is away is no fault of the turn: the step is repeated when it is back.
    """
    try:
        return with_store(name, work, *arguments)
    except (SmosError, GivenBackError):
        raise
    except Exception as error:
        _log.exception("step_failed", step=name)
        raise PermanentError("unforeseen_error", f"{name}: {type(error).__name__}") from error


def with_store(name: str, work: Callable[..., T], *arguments: Any) -> T:
    """Do something that needs the database, again and again while it is away."""
    deadline = time.monotonic() + _STORE_PATIENCE_S
    while True:
        try:
            return work(*arguments)
        except (OperationalError, InterfaceError, PoolTimeoutError, DBAPIError) as error:
            if not is_store_away(error) or time.monotonic() > deadline:
                raise
            _log.warning("store_away", step=name, detail=type(error).__name__)
            time.sleep(_STORE_RETRY_S)


def is_store_away(error: SQLAlchemyError) -> bool:
    """Tell whether an error is the database's absence, and not a fault of what was asked of it."""
    if isinstance(error, DBAPIError) and not isinstance(error, (OperationalError, InterfaceError)):
        return error.connection_invalidated
    return True
