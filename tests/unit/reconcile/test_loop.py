"""The background thread that looks through all tenants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import Tenant
from smarteros.reconcile.loop import ReconcileLoop
from smarteros.reconcile.report import ReconcileReport

PATIENCE_S = 20.0


class Recorder:
    """Stands for a Reconciler; ``fail`` makes a tenant's run fail."""

    def __init__(self, fail: dict[str, Exception] | None = None) -> None:
        self.fail = fail or {}
        self.seen: list[str] = []
        self.changed = threading.Condition()

    def run_once(self, tenant: Tenant, *, unless_within: timedelta | None = None) -> ReconcileReport:
        with self.changed:
            self.seen.append(tenant.tenant_id)
            self.changed.notify_all()
        if tenant.tenant_id in self.fail:
            raise self.fail[tenant.tenant_id]
        return ReconcileReport(tenant_id=tenant.tenant_id, outcome="done")

    def until(self, condition: Callable[[list[str]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.seen), PATIENCE_S), self.seen


def tenants(*ids: str, resting: str | None = None) -> tuple[Tenant, ...]:
    return tuple(
        Tenant(
            tenant_id=tenant_id,
            name="x",
            rut="1-9",
            tenant_key="k" * 24,
            active=tenant_id != resting,
            chatwoot_url="http://127.0.0.1:1",
            chatwoot_account_ids=(1,),
        )
        for tenant_id in ids
    )


@contextmanager
def running(recorder: Recorder, known: Callable[[], tuple[Tenant, ...]], every_s: float) -> Iterator[None]:
    loop = ReconcileLoop(recorder, known, every_s=every_s, jitter_s=0)
    loop.start()
    try:
        yield
    finally:
        loop.stop()


def test_it_looks_at_once_and_tenant_after_tenant() -> None:
    recorder = Recorder()
    with running(recorder, lambda: tenants("SHOP_A", "SHOP_B"), every_s=3600):
        recorder.until(lambda seen: len(seen) == 2)
    assert recorder.seen == ["SHOP_A", "SHOP_B"]


def test_a_suspended_tenant_is_not_looked_at() -> None:
    recorder = Recorder()
    with running(recorder, lambda: tenants("SHOP_A", "SHOP_B", resting="SHOP_A"), every_s=0.01):
        recorder.until(lambda seen: len(seen) >= 2)
    assert set(recorder.seen) == {"SHOP_B"}


def test_the_trouble_of_one_tenant_does_not_end_the_search_for_the_others() -> None:
    recorder = Recorder({"SHOP_A": TransientError("down", "Chatwoot is away"), "SHOP_B": ZeroDivisionError()})
    with running(recorder, lambda: tenants("SHOP_A", "SHOP_B", "SHOP_C"), every_s=0.01):
        recorder.until(lambda seen: seen.count("SHOP_C") >= 2)


def test_a_database_that_is_away_is_asked_again() -> None:
    recorder = Recorder()
    answers = iter([False, True])

    def known() -> tuple[Tenant, ...]:
        if not next(answers, True):
            raise ConnectionError
        return tenants("SHOP_A")

    with running(recorder, known, every_s=0.01):
        recorder.until(bool)


def test_after_stop_nobody_looks_any_more() -> None:
    recorder = Recorder()
    with running(recorder, lambda: tenants("SHOP_A"), every_s=0.001):
        recorder.until(lambda seen: len(seen) >= 3)
    assert not [thread for thread in threading.enumerate() if thread.name == "reconcile"]
