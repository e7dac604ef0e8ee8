"""Books in PostgreSQL: the limit of a month holds for all processes of the installation together."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.agents.llm.protocol import LlmCall, Reservation
from smarteros.domain.llm import Spend, SpendLimit
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.llm_tables import llm_calls, llm_spend
from smarteros.store.spend import NO_CAP, SpendCap


class PostgresLlmLedger:
    """LlmLedger over the tables ``llm_spend`` and ``llm_calls``."""

    def __init__(self, database: Database, cap: SpendCap = NO_CAP) -> None:
        """``cap`` also counts what the tenant pays for Cloud Vision."""
        self._database = database
        self._cap = cap

    def calls(self, scope: TenantScope, conversation_id: int, message_id: int) -> tuple[LlmCall, ...]:
        """Return the calls that were made for one message."""
        statement = sa.select(llm_calls.c.call).where(
            llm_calls.c.tenant_id == scope.tenant_id,
            llm_calls.c.conversation_id == conversation_id,
            llm_calls.c.message_id == message_id,
        )
        with self._database.tenant(scope) as connection:
            rows = connection.execute(statement.order_by(llm_calls.c.called_at)).all()
        return tuple(LlmCall.model_validate(row.call) for row in rows)

    def reserve(self, scope: TenantScope, reservation: Reservation, limit: SpendLimit) -> bool:
        """Set the amount aside if it fits; the row is locked by the update, so two calls cannot both take the last."""
        table = llm_spend.c
        ours = (table.tenant_id == scope.tenant_id, table.month == reservation.month)
        fits: list[sa.ColumnElement[bool]] = []
        if limit.micro_usd is not None:
            fits.append(table.micro_usd + reservation.micro_usd <= limit.micro_usd)
        if limit.tokens is not None:
            fits.append(table.tokens + reservation.tokens <= limit.tokens)
        first = insert(llm_spend).values(tenant_id=scope.tenant_id, month=reservation.month)
        taken = (
            sa.update(llm_spend)
            .where(*ours, *fits)
            .values(micro_usd=table.micro_usd + reservation.micro_usd, tokens=table.tokens + reservation.tokens)
        )
        with self._database.tenant(scope) as connection:
            allowed = self._cap.allows(connection, scope, reservation.month, micro_usd=reservation.micro_usd)
            if allowed:
                connection.execute(first.on_conflict_do_nothing())
                allowed = connection.execute(taken).rowcount == 1
        if not allowed:
            self._cap.reached(scope)
        return allowed

    def settle(self, scope: TenantScope, reservation: Reservation, call: LlmCall) -> None:
        """Replace a reservation by what the call cost, and keep the call, in one transaction."""
        table = llm_spend.c
        spent = call.input_tokens + call.output_tokens
        counted = (
            sa.update(llm_spend)
            .where(table.tenant_id == scope.tenant_id, table.month == reservation.month)
            .values(
                micro_usd=table.micro_usd - reservation.micro_usd + call.micro_usd,
                tokens=table.tokens - reservation.tokens + spent,
                calls=table.calls + 1,
            )
        )
        with self._database.tenant(scope) as connection:
            connection.execute(counted)
            connection.execute(_kept(scope, call))

    def keep(self, scope: TenantScope, call: LlmCall) -> None:
        """Keep a call that nothing is counted for."""
        with self._database.tenant(scope) as connection:
            connection.execute(_kept(scope, call))

    def spent(self, scope: TenantScope, month: str) -> Spend:
        """Return what a month has cost so far."""
        statement = sa.select(llm_spend.c.micro_usd, llm_spend.c.tokens, llm_spend.c.calls).where(
            llm_spend.c.tenant_id == scope.tenant_id, llm_spend.c.month == month
        )
        with self._database.tenant(scope) as connection:
            row = connection.execute(statement).one_or_none()
        return Spend(month=month) if row is None else Spend(month=month, micro_usd=row[0], tokens=row[1], calls=row[2])


def _kept(scope: TenantScope, call: LlmCall) -> sa.Insert:
    """Write a call down; of two for the same question the one with an output stays."""
    values = {"call": call.model_dump(mode="json"), "called_at": call.called_at}
    kept = insert(llm_calls).values(
        tenant_id=scope.tenant_id,
        conversation_id=call.conversation_id,
        message_id=call.message_id,
        request_hash=call.request_hash,
        **values,
    )
    return kept.on_conflict_do_update(
        index_elements=["tenant_id", "conversation_id", "message_id", "request_hash"],
        set_=values,
        where=llm_calls.c.call["output"].astext.is_(None),
    )
