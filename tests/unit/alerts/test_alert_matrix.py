"""Each alert of the contracts is fired for those the contract names, and over for the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.alerts.watching import CONTRACTS, Watched

from smarteros.alerts.signals import WINDOW

SALES, SUPPORT, FAQ = "e2e_shopify_sales", "e2e_ocr_support", "e2e_faq_quick"


@dataclass(frozen=True)
class Situation:
    """What happens to the shop, and when it is over: after so many minutes, with these turns."""

    bad: Callable[[Watched], Any]
    good: Callable[[Watched], Any]


def turns(number: int, flow: str, **facts: Any) -> Callable[[Watched], None]:
    return lambda watched: watched.turns(number, flow, **facts)


def slow(flow: str, ms: int) -> Situation:
    return Situation(turns(12, flow, latency_ms=ms), turns(12, flow))


def failing(flow: str) -> Situation:
    return Situation(turns(12, flow, outcome="failed", rule="error"), turns(12, flow))


MATRIX = {
    "sales_slow": slow(SALES, 7001),
    "sales_failing": failing(SALES),
    "shopify_timeouts": Situation(
        turns(10, SALES, shopify_search_products_outcome="fallback"),
        turns(1, SALES, shopify_search_products_outcome="ok"),
    ),
    "support_slow": slow(SUPPORT, 10_001),
    "support_failing": failing(SUPPORT),
    "unreadable_photos": Situation(turns(10, SUPPORT, ocr_confidence=0.69), turns(1, SUPPORT, ocr_confidence=0.7)),
    "invoices_not_found": Situation(turns(10, SUPPORT, invoice_found=False), turns(60, SUPPORT, invoice_found=True)),
    "faq_slow": slow(FAQ, 3001),
    "faq_failing": failing(FAQ),
    "faq_not_understood": Situation(turns(20, FAQ, confidence=0.79), turns(1, FAQ, confidence=0.8)),
}
RULES = {
    rule.name: rule
    for contract in CONTRACTS.by_id.values()
    for rule in contract.alerts
    if rule.signal != "service_down"
}


def test_the_matrix_holds_every_alert_of_the_contracts() -> None:
    assert set(MATRIX) == set(RULES)


@pytest.mark.parametrize("name", MATRIX)
def test_an_alert_reaches_those_the_contract_names_and_ends_for_them(watched: Watched, name: str) -> None:
    situation, rule = MATRIX[name], RULES[name]
    watched.after(seconds=15)
    assert watched.heard() == {}

    situation.bad(watched)
    watched.after(seconds=15)
    assert [alert.name for alert in watched.open()] == [name]
    assert watched.heard() == dict.fromkeys(rule.notify, 1)

    watched.forget()
    watched.clock.instant += WINDOW
    situation.good(watched)
    watched.after(seconds=15)
    assert watched.open() == []
    assert [alert.resolved_at for alert in watched.past()] == [watched.clock.now()]
    assert watched.heard() == dict.fromkeys(rule.notify, 1)
    assert set(watched.told.http.incidents.values()) <= {"resolved"}


@pytest.mark.parametrize(("service", "scope"), [("chatwoot", "the shop's"), ("agent", "the installation's")])
def test_a_service_that_is_away_pages_and_writes_to_slack_and_email(watched: Watched, service: str, scope: str) -> None:
    owner = watched.id if scope == "the shop's" else "-"
    watched.away.add(service)
    watched.after(seconds=15)
    watched.after(seconds=30)
    assert watched.heard() == {}  # one probe that failed is no outage

    watched.after(seconds=30)
    assert [(alert.name, alert.subject) for alert in watched.open(owner)] == [("service_down", service)]
    assert watched.heard() == {"pagerduty": 1, "slack": 1, "email": 1}

    watched.away.clear()
    watched.after(seconds=15)
    assert set(watched.told.http.incidents.values()) == {"resolved"}
    assert watched.heard() == {"pagerduty": 2, "slack": 2, "email": 2}


def test_customers_who_wait_and_nobody_begins_page(watched: Watched) -> None:
    watched.oldest_s = 61.0
    watched.after(seconds=15)
    assert watched.told.http.incidents == {"smos/-/smos_customers_wait": "triggered"}

    watched.oldest_s = 0.0
    watched.after(seconds=15)
    assert watched.told.http.incidents == {"smos/-/smos_customers_wait": "resolved"}


def test_a_customer_who_lost_patience_is_told_of_once_and_nothing_ends(watched: Watched) -> None:
    watched.moment()
    watched.moment(conversation=78)
    for _ in range(3):
        watched.after(minutes=90)

    assert watched.heard() == {"slack": 1, "email": 1}
    assert "77" in watched.told.http.slack[0]["text"] and "(+1)" in watched.told.http.slack[0]["text"]
    assert watched.open() == []


def test_a_conversation_is_told_of_once_a_day_however_often_its_customer_loses_patience(watched: Watched) -> None:
    for _ in range(2):
        watched.moment()
        watched.moment()
        watched.after(hours=1)
    assert watched.heard() == {"slack": 1, "email": 1}
    assert "(+1)" not in watched.told.http.slack[0]["text"]

    watched.after(days=1)
    watched.moment()
    watched.after(minutes=1)
    assert watched.heard() == {"slack": 2, "email": 2}


@pytest.mark.parametrize("outcome", ["merged", "muted", "escalated"])
def test_turns_that_rightly_say_nothing_or_end_with_a_person_are_no_errors(watched: Watched, outcome: str) -> None:
    watched.turns(30, FAQ, outcome=outcome)
    watched.after(seconds=15)
    assert watched.open() == []


def test_few_turns_are_no_rate(watched: Watched) -> None:
    watched.turns(9, FAQ, outcome="failed", latency_ms=60_000)
    watched.after(seconds=15)
    assert watched.open() == []


def test_an_alert_stays_while_there_are_too_few_turns_to_judge_by_and_ends_when_there_are_none(
    watched: Watched,
) -> None:
    watched.turns(12, FAQ, latency_ms=5500)
    watched.after(seconds=15)
    watched.clock.instant += WINDOW
    watched.turns(2, FAQ)
    watched.after(seconds=15)
    assert [alert.name for alert in watched.open()] == ["faq_slow"]

    watched.clock.instant += WINDOW
    watched.after(seconds=15)
    assert watched.open() == []


def test_the_turns_of_another_shop_are_not_ours(watched: Watched, database: Any) -> None:
    other = Watched(database, watched.told, watched.http, watched.folder)
    other.turns(20, FAQ, outcome="failed")
    watched.after(seconds=15)
    assert watched.open() == [] and watched.heard() == {}
