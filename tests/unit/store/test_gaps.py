"""Questions that were not answered are counted by their pattern, each tenant's apart, and never without bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smarteros.domain.gaps import Gap, GapReason
from smarteros.domain.tenants import TenantScope
from smarteros.store import gaps
from smarteros.store.database import Database
from smarteros.store.gaps import forget_gap, list_gaps, note_gap

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def gap(pattern: str, example: str | None = None, reason: GapReason = "not_sure") -> Gap:
    return Gap(pattern=pattern, example=example or pattern, reason=reason, intent="faq_shipping", confidence=0.4)


def test_a_question_asked_again_is_counted_and_shown_in_its_newest_wording(database: Database):
    scope = TenantScope(tenant_id="GAPS_COUNTED")
    with database.tenant(scope) as connection:
        note_gap(connection, scope.tenant_id, gap("mandan por dron", "¿mandan por dron?"), NOON)
        note_gap(connection, scope.tenant_id, gap("otra cosa"), NOON)
        note_gap(connection, scope.tenant_id, gap("mandan por dron", "Mandan por dron??"), NOON + timedelta(hours=1))
    with database.tenant(scope) as connection:
        first, second = list_gaps(connection, scope.tenant_id)
    assert (first.pattern, first.times, first.example) == ("mandan por dron", 2, "Mandan por dron??")
    assert (first.first_at, first.last_at) == (NOON, NOON + timedelta(hours=1))
    assert second.times == 1


def test_one_tenants_questions_are_not_anothers(database: Database):
    own, other = TenantScope(tenant_id="GAPS_OWN"), TenantScope(tenant_id="GAPS_OTHER")
    with database.tenant(own) as connection:
        note_gap(connection, own.tenant_id, gap("algo"), NOON)
    with database.tenant(other) as connection:
        assert list_gaps(connection, own.tenant_id) == []
        assert not forget_gap(connection, own.tenant_id, "algo")


def test_they_can_be_listed_by_reason_and_forgotten(database: Database):
    scope = TenantScope(tenant_id="GAPS_BY_REASON")
    with database.tenant(scope) as connection:
        note_gap(connection, scope.tenant_id, gap("sin texto", reason="not_in_kb"), NOON)
        note_gap(connection, scope.tenant_id, gap("ajeno", reason="out_of_scope"), NOON)
        assert [g.pattern for g in list_gaps(connection, scope.tenant_id, reason="not_in_kb")] == ["sin texto"]
        assert forget_gap(connection, scope.tenant_id, "sin texto")
        assert [g.pattern for g in list_gaps(connection, scope.tenant_id)] == ["ajeno"]


def test_the_oldest_make_room(database: Database, monkeypatch: pytest.MonkeyPatch):
    scope = TenantScope(tenant_id="GAPS_BOUNDED")
    monkeypatch.setattr(gaps, "MOST_GAPS", 3)
    with database.tenant(scope) as connection:
        for number in range(5):
            note_gap(connection, scope.tenant_id, gap(f"pregunta {number}"), NOON + timedelta(minutes=number))
        kept = {g.pattern for g in list_gaps(connection, scope.tenant_id)}
    assert kept == {"pregunta 2", "pregunta 3", "pregunta 4"}
