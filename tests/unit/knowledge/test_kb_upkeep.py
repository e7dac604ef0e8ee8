"""Sources are read, changes are checked against what customers asked, and wait where too much would change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
from tests.unit.channels.conftest import Site
from tests.unit.knowledge.upkeep_world import OWNER, PAYING, SHIPPING, FaqPage, Upkept

from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.upkeep import TextChange, UpkeepSettings
from smarteros.kit.http import HttpClient
from smarteros.knowledge.evaluation import Expected
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.upkeep.loop import UpkeepLoop
from smarteros.store.database import Database, owner_engine
from smarteros.store.locks import OneProcess
from smarteros.store.upkeep import replace_questions

ANA = {"person": "ana", "role": "operator"}
HISTORY = ((PAYING, "faq_payment_methods"), ("¿despachan a regiones?", "faq_shipping"), (SHIPPING, "faq_shipping"))


@pytest.fixture
def shop(database: Database, http: HttpClient, site: Site) -> Upkept:
    return Upkept(database, http, site)


@pytest.fixture
def page(shop: Upkept) -> FaqPage:
    """The shop's FAQ page, read once."""
    page = FaqPage(shop.site)
    shop.add("page", "faq", page.url)
    assert shop.sync() == "activated"
    return page


def remember_customers(shop: Upkept) -> None:
    for text, intent in HISTORY:
        shop.asked(text, cast("Any", intent))


def test_a_page_answers_and_is_no_new_version_until_it_changes(shop: Upkept, page: FaqPage) -> None:
    assert shop.answer("con qué se paga") == "Con débito."
    assert (shop.sync(), page.sent, shop.versions()) == ("unchanged", 1, 1)
    page.says_state = False
    assert (shop.sync(), page.sent, shop.versions()) == ("unchanged", 2, 1)
    page.answers[PAYING] = "Con débito y crédito."
    assert (shop.sync(), shop.versions()) == ("activated", 2)
    assert shop.answer("con qué se paga") == "Con débito y crédito."
    assert shop.source().next_at > shop.clock.now()


def test_other_texts_stay_and_those_of_a_source_go_with_it(shop: Upkept, page: FaqPage) -> None:
    shop.knowledge.merge(shop.tenant.scope, (parse_markdown("local.md", "## ¿Dónde están?\nEn Ñuñoa."),))
    page.answers = {"¿Hacen envoltorios?": "Sí, de regalo."}
    shop.sync()
    names = [document.name for document in shop.knowledge.documents(shop.tenant.scope)]
    assert names == ["source:faq/127.0.0.1/faq", "local.md"]
    shop.upkeep.remove(shop.tenant, "faq", texts=True)
    assert [document.name for document in shop.knowledge.documents(shop.tenant.scope)] == ["local.md"]
    assert {"kb_source_added", "kb_source_removed"} <= set(shop.audited())
    with pytest.raises(RejectedInputError):
        shop.sync()


def test_a_source_does_not_touch_a_folder_that_was_imported_under_its_name(shop: Upkept, page: FaqPage) -> None:
    shop.knowledge.merge(shop.tenant.scope, (parse_markdown("faq/local.md", "## ¿Dónde están?\nEn Ñuñoa."),))
    page.answers[PAYING] = "Con débito y crédito."
    shop.sync()
    assert "faq/local.md" in [document.name for document in shop.knowledge.documents(shop.tenant.scope)]
    with pytest.raises(RejectedInputError):
        shop.add("page", "import", page.url)


def test_texts_that_were_replaced_by_hand_come_back_with_the_next_reading(shop: Upkept, page: FaqPage) -> None:
    shop.knowledge.replace(shop.tenant.scope, ())
    assert (shop.sync(), page.sent) == ("activated", 2)
    assert shop.answer("con qué se paga") == "Con débito."


def test_a_change_that_takes_too_many_answers_waits_and_the_old_ones_go_on(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    shop.asked("¿dónde está mi pedido?", "order_status")
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    assert shop.sync() == "waits"
    assert shop.answer("con qué se paga") == "Con débito."
    (waiting,) = shop.upkeep.waiting(shop.tenant)
    report = waiting.report
    assert (report.asked, report.changed + report.lost) == (2, 2)  # one was asked twice, one is no matter of the texts
    paying = next(each for each in report.answers if each.before == PAYING)
    assert (paying.kind, paying.answer_before, paying.answer_after) == (
        "changed", "Con débito.", "Solo efectivo, por ahora.",
    )  # fmt: skip
    (alert,) = shop.alerts()
    assert (alert.signal, alert.subject, alert.value) == ("kb_change_waits", "faq", 2)
    (mail,) = shop.mails
    text = mail.get_body(("plain",))
    assert mail["To"] == OWNER
    assert text is not None
    assert "Antes: Con débito." in text.get_content()
    assert "kb_change_waits" in shop.audited()
    assert (shop.sync(), len(shop.mails), len(shop.alerts())) == ("unchanged", 1, 1)


def test_an_approved_change_answers_and_keeps_what_was_changed_meanwhile(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    shop.sync()
    shop.knowledge.merge(shop.tenant.scope, (parse_markdown("local.md", "## ¿Dónde están?\nEn Ñuñoa."),))
    assert shop.upkeep.approve(shop.tenant, by=ANA) == 2
    assert shop.answer("con qué se paga") == "Solo efectivo, por ahora."
    assert (shop.upkeep.waiting(shop.tenant), shop.sync()) == ((), "unchanged")
    with pytest.raises(RejectedInputError):
        shop.upkeep.approve(shop.tenant, by=ANA)


def test_a_refused_change_comes_again_only_when_it_says_something_else(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    before = dict(page.answers)
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    shop.sync()
    shop.upkeep.refuse(shop.tenant, "faq", by=ANA)
    assert (shop.sync(), shop.upkeep.waiting(shop.tenant), len(shop.mails)) == ("unchanged", (), 1)
    page.answers = {PAYING: "Solo cheques."}
    assert (shop.sync(), len(shop.mails)) == ("waits", 2)
    page.answers = before  # the page takes it back: nothing waits any more
    assert (shop.sync(), shop.upkeep.waiting(shop.tenant)) == ("unchanged", ())


def test_the_limits_are_the_shops_own(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    generous = shop.tenant.model_copy(update={"kb": UpkeepSettings(most_changed_percent=100, most_lost_percent=100)})
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    proposed = shop.upkeep.sync(generous, "faq")
    assert (proposed.outcome, proposed.report.asked) == ("activated", 2)


def test_stored_questions_are_asked_too(shop: Upkept, page: FaqPage) -> None:
    expected = Expected(question="¿llegan a Punta Arenas, a regiones?", titles=(SHIPPING,))
    with shop.database.tenant(shop.tenant.scope) as connection:
        replace_questions(connection, shop.tenant.tenant_id, [asdict(expected)])
    del page.answers[SHIPPING]
    proposed = shop.upkeep.sync(shop.tenant, "faq")
    assert (proposed.outcome, proposed.report.lost) == ("waits", 1)
    (answer,) = proposed.report.answers
    assert (answer.turn_id, answer.kind, answer.before) == (None, "lost", SHIPPING)


def test_questions_in_a_report_hide_what_is_personal(shop: Upkept, page: FaqPage) -> None:
    shop.asked("¿cómo se paga? mi correo es ana@cliente.example", "faq_payment_methods")
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    (answer,) = shop.upkeep.sync(shop.tenant, "faq").report.answers
    assert "¿cómo se paga? mi correo" in answer.question
    assert "ana@cliente.example" not in answer.question


def test_what_a_customer_wrote_is_not_kept_with_a_change_that_waits(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    shop.sync()
    with shop.database.tenant(shop.tenant.scope) as connection:
        connection.execute(
            sa.text("UPDATE smos.turn_inputs SET inputs = jsonb_set(inputs, '{resolved,messages}', '[]')")
        )
        kept = connection.execute(sa.text("SELECT report::text FROM smos.kb_waiting")).scalar_one()
    assert not any(text in kept for text, _ in HISTORY if text not in (PAYING, SHIPPING))  # those are the shop's titles
    (waiting,) = shop.upkeep.waiting(shop.tenant)
    assert {each.question for each in waiting.report.answers} == {""}


def test_an_import_may_be_checked_as_well(shop: Upkept, page: FaqPage) -> None:
    remember_customers(shop)
    other = TextChange(origin="import", mode="all", documents=(parse_markdown("a.md", "# Historia\nDesde 1984."),))
    assert shop.upkeep.propose(shop.tenant, other).outcome == "waits"
    assert shop.answer("con qué se paga") == "Con débito."
    more = TextChange(origin="import", mode="merge", documents=(parse_markdown("b.md", "# Baños\nHay dos."),))
    assert shop.upkeep.propose(shop.tenant, more).outcome == "activated"
    assert shop.answer("con qué se paga") == "Con débito."


def test_a_site_that_is_away_is_asked_again_in_an_hour_and_told_of_the_third_time(shop: Upkept, page: FaqPage) -> None:
    page.status = 503
    for failures in (1, 2, 3):
        with pytest.raises(TransientError):
            shop.sync()
        assert shop.source().failures == failures
        assert shop.source().next_at - shop.clock.now() <= timedelta(hours=1)
        assert len(shop.alerts()) == (failures == 3)
    assert shop.answer("con qué se paga") == "Con débito."
    page.status = 200
    assert (shop.sync(), shop.source().failures, shop.source().error) == ("unchanged", 0, None)


@pytest.mark.parametrize("trouble", ["gone", "empty"])
def test_a_page_that_is_gone_or_empty_takes_no_text_away(shop: Upkept, page: FaqPage, trouble: str) -> None:
    if trouble == "gone":
        page.status = 404
    else:
        page.answers = {}
    with pytest.raises((PermanentError, RejectedInputError)):
        shop.sync()
    assert shop.answer("con qué se paga") == "Con débito."
    (alert,) = shop.alerts()
    assert (alert.signal, alert.subject) == ("kb_source_failed", "faq")


def test_two_shops_share_neither_sources_nor_what_waits(
    shop: Upkept, page: FaqPage, database: Database, http: HttpClient, site: Site
) -> None:
    other = Upkept(database, http, site)
    assert other.upkeep.sources(other.tenant) == ()
    remember_customers(shop)
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    shop.sync()
    assert other.upkeep.waiting(other.tenant) == ()
    with pytest.raises(RejectedInputError):
        other.upkeep.approve(other.tenant, "faq", by=ANA)


@pytest.fixture
def make_loop(database: Database) -> Any:
    opened: list[UpkeepLoop] = []

    def make(*shops: Upkept, lock: str = "upkeep-test") -> UpkeepLoop:
        first = shops[0]
        leader = OneProcess(owner_engine(database.owner_url), f"{lock}-{first.tenant.tenant_id}")
        tenants = tuple(each.tenant for each in shops)
        opened.append(UpkeepLoop(first.upkeep, first.reports, lambda: tenants, leader, first.clock))
        return opened[-1]

    yield make
    for loop in opened:
        loop.stop()


def test_the_worker_reads_what_is_due_and_one_shops_trouble_is_its_own(
    shop: Upkept, page: FaqPage, make_loop: Callable[..., UpkeepLoop]
) -> None:
    other = Upkept(shop.database, shop.http, shop.site)
    other.clock, other.upkeep = shop.clock, shop.upkeep
    other.add("page", "broken", "http://127.0.0.1:1/x")
    other.add("page", "faq", page.url)
    loop = make_loop(other, shop)
    page.answers[PAYING] = "Con débito y crédito."
    loop.round()
    assert other.source("broken").failures == 1
    assert other.source("faq").failures == 0
    assert shop.answer("con qué se paga") == "Con débito."  # it was read just now, and is not due
    shop.clock.instant += timedelta(days=1)
    loop.round()
    assert shop.answer("con qué se paga") == "Con débito y crédito."


def test_a_source_that_breaks_its_reader_is_left_alone_until_its_next_time(
    shop: Upkept, page: FaqPage, make_loop: Callable[..., UpkeepLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a page nobody has thought of")

    monkeypatch.setattr("smarteros.knowledge.upkeep.pages.read_bytes", broken)
    page.says_state = False
    shop.clock.instant += timedelta(days=1)
    make_loop(shop).round()
    assert (shop.source().failures, shop.source().error) == (1, "faq: ValueError")
    assert shop.source().next_at > shop.clock.now()
    assert [alert.signal for alert in shop.alerts()] == ["kb_source_failed"]


def test_of_all_processes_one_looks_after_the_texts(
    shop: Upkept, page: FaqPage, make_loop: Callable[..., UpkeepLoop]
) -> None:
    first, second = make_loop(shop), make_loop(shop)
    first.round()
    page.answers[PAYING] = "Con débito y crédito."
    shop.clock.instant += timedelta(days=1)
    second.round()
    assert shop.answer("con qué se paga") == "Con débito."
    first.stop()
    second.round()
    assert shop.answer("con qué se paga") == "Con débito y crédito."
