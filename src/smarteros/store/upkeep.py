"""The upkeep of a tenant's texts: sources, changes that wait, test questions, and how far the owner was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.upkeep import PastQuestion, TextSource, WaitingChange
from smarteros.store.reconcile_tables import turn_inputs
from smarteros.store.statements import run
from smarteros.store.upkeep_tables import kb_questions, kb_reports, kb_sources, kb_waiting


def list_sources(connection: sa.Connection, tenant_id: str) -> tuple[TextSource, ...]:
    """Return the tenant's sources by name."""
    statement = sa.select(kb_sources.c.source).where(kb_sources.c.tenant_id == tenant_id)
    return tuple(
        TextSource.model_validate(row.source) for row in connection.execute(statement.order_by(kb_sources.c.name))
    )


def add_source(connection: sa.Connection, tenant_id: str, source: TextSource) -> bool:
    """Keep a new source; False when there is one of its name."""
    values = {"tenant_id": tenant_id, "name": source.name, "source": source.model_dump(mode="json")}
    statement = insert(kb_sources).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(kb_sources.c.name)).first() is not None


def save_source(connection: sa.Connection, tenant_id: str, source: TextSource) -> bool:
    """Write down how a source stands; False when it was removed meanwhile."""
    statement = sa.update(kb_sources).where(kb_sources.c.tenant_id == tenant_id, kb_sources.c.name == source.name)
    return connection.execute(statement.values(source=source.model_dump(mode="json"))).rowcount == 1


def remove_source(connection: sa.Connection, tenant_id: str, name: str) -> bool:
    """Forget a source; tells whether there was one."""
    statement = sa.delete(kb_sources).where(kb_sources.c.tenant_id == tenant_id, kb_sources.c.name == name)
    return connection.execute(statement).rowcount == 1


def list_waiting(connection: sa.Connection, tenant_id: str) -> tuple[WaitingChange, ...]:
    """Return the changes that wait for approval, the oldest first."""
    statement = sa.select(kb_waiting.c.change, kb_waiting.c.report, kb_waiting.c.made_at)
    rows = connection.execute(statement.where(kb_waiting.c.tenant_id == tenant_id).order_by(kb_waiting.c.made_at))
    return tuple(WaitingChange.model_validate(dict(row)) for row in rows.mappings())


def keep_waiting(connection: sa.Connection, tenant_id: str, waiting: WaitingChange) -> None:
    """Keep a change until it is approved, in the place of an older one of the same origin."""
    values: dict[str, Any] = {
        "change": waiting.change.model_dump(mode="json"),
        "report": waiting.report.with_questions({}).model_dump(mode="json"),
        "made_at": waiting.made_at,
    }
    statement = insert(kb_waiting).values(tenant_id=tenant_id, origin=waiting.change.origin, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "origin"], set_=values))


def drop_waiting(connection: sa.Connection, tenant_id: str, origin: str) -> bool:
    """Forget a change that waits; tells whether there was one."""
    statement = sa.delete(kb_waiting).where(kb_waiting.c.tenant_id == tenant_id, kb_waiting.c.origin == origin)
    return connection.execute(statement).rowcount == 1


_ASKED = """
SELECT t.turn_id, record -> 'decision' ->> 'intent' AS intent, record -> 'decision' ->> 'language' AS language,
       (record -> 'decision' ->> 'confidence')::float AS confidence, i.inputs -> 'resolved' -> 'messages' AS messages
  FROM smos.turns t JOIN smos.turn_inputs i ON i.turn_id = t.turn_id
 WHERE t.tenant_id = %(tenant_id)s AND t.received_at >= %(since)s AND t.outcome = 'answered'
   AND jsonb_array_length(coalesce(t.record -> 'decision' -> 'rag_context', '[]')) > 0
 ORDER BY t.received_at DESC LIMIT %(most)s
"""


def past_questions(connection: sa.Connection, tenant_id: str, since: datetime, most: int) -> tuple[PastQuestion, ...]:
    """Return what customers asked since an instant and were answered from the tenant's texts, the newest first."""
    rows = run(connection, _ASKED, {"tenant_id": tenant_id, "since": since, "most": most}).fetchall()
    asked = (
        PastQuestion(
            turn_id=row.turn_id,
            text=_written(row.messages),
            intent=row.intent,
            confidence=row.confidence,
            language=row.language,
        )
        for row in rows
    )
    return tuple(question for question in asked if question.text.strip())


def texts_of_turns(connection: sa.Connection, tenant_id: str, turn_ids: Sequence[str]) -> dict[str, str]:
    """Return what customers wrote in turns, as far as it is still kept."""
    messages = turn_inputs.c.inputs["resolved"]["messages"].label("messages")
    statement = sa.select(turn_inputs.c.turn_id, messages).where(
        turn_inputs.c.tenant_id == tenant_id, turn_inputs.c.turn_id.in_(turn_ids)
    )
    return {row.turn_id: _written(row.messages) for row in connection.execute(statement)}


def _written(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(message["text"] for message in messages if message.get("text"))


def list_questions(connection: sa.Connection, tenant_id: str) -> tuple[dict[str, Any], ...]:
    """Return the tenant's own test questions, as they were stored, in their order."""
    statement = sa.select(kb_questions.c.expected).where(kb_questions.c.tenant_id == tenant_id)
    return tuple(row.expected for row in connection.execute(statement.order_by(kb_questions.c.position)))


def replace_questions(connection: sa.Connection, tenant_id: str, questions: Sequence[dict[str, Any]]) -> None:
    """Make these the tenant's test questions; of two with the same text (``question``) the later one counts."""
    connection.execute(sa.delete(kb_questions).where(kb_questions.c.tenant_id == tenant_id))
    by_text = {str(each["question"]): each for each in questions}
    rows = [
        {"tenant_id": tenant_id, "question": text, "expected": each, "position": position}
        for position, (text, each) in enumerate(by_text.items())
    ]
    if rows:
        connection.execute(sa.insert(kb_questions), rows)


def reported_until(connection: sa.Connection, tenant_id: str) -> datetime | None:
    """Return until when the owner was told which questions had no answer; None before the first time."""
    statement = sa.select(kb_reports.c.reported_at).where(kb_reports.c.tenant_id == tenant_id)
    return connection.execute(statement).scalar_one_or_none()


def note_report(connection: sa.Connection, tenant_id: str, at: datetime) -> None:
    """Write down until when the owner was told."""
    statement = insert(kb_reports).values(tenant_id=tenant_id, reported_at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_={"reported_at": at}))
