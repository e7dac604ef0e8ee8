"""How often somebody is told, and what happens when a process or a sink is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from tests.paging import SECRETS, mails_in
from tests.unit.alerts.watching import Watched

from smarteros.alerts.loop import AlertLoop
from smarteros.alerts.sinks import MAIL_FILE
from smarteros.store.database import owner_engine

FAQ, SALES = "e2e_faq_quick", "e2e_shopify_sales"


def fail(watched: Watched) -> None:
    watched.turns(12, SALES, outcome="failed")


def incidents(watched: Watched) -> set[str]:
    return set(watched.told.http.incidents.values())


def test_a_page_is_repeated_after_an_hour_and_not_before(watched: Watched) -> None:
    for _ in range(5):
        fail(watched)
        watched.after(minutes=14)
    assert watched.heard() == {"pagerduty": 1, "whatsapp_founder": 1}

    fail(watched)
    watched.after(minutes=10)
    assert watched.heard() == {"pagerduty": 2, "whatsapp_founder": 2}
    assert "Sigue la alerta" in str(watched.told.http.whatsapp[1])


def test_a_restart_neither_repeats_nor_forgets(watched: Watched) -> None:
    fail(watched)
    watched.after(seconds=15)
    watched.restart()
    watched.after(seconds=15)
    assert watched.heard() == {"pagerduty": 1, "whatsapp_founder": 1}

    watched.restart()
    watched.after(hours=1)
    assert incidents(watched) == {"resolved"}


def test_what_comes_back_is_told_anew(watched: Watched) -> None:
    for _ in range(2):
        fail(watched)
        watched.after(seconds=15)
        watched.after(hours=1)
    actions = [event["event_action"] for event in watched.told.http.pagerduty]
    assert actions == ["trigger", "resolve", "trigger", "resolve"]
    assert len(watched.past()) == 2


def test_alerts_of_one_moment_are_one_message_and_later_ones_wait_for_company(watched: Watched) -> None:
    watched.turns(12, FAQ, latency_ms=5500)
    watched.turns(12, SALES, latency_ms=9000)
    watched.after(seconds=15)
    assert watched.heard() == {"slack": 1, "email": 1}
    assert len(watched.told.http.slack[0]["attachments"]) == 2

    watched.turns(20, FAQ, confidence=0.1)
    watched.after(minutes=1)
    assert watched.heard() == {"slack": 1, "email": 1}
    watched.after(minutes=5)
    assert watched.heard() == {"slack": 2, "email": 2}


def test_what_is_silenced_is_told_when_the_silence_is_over_and_it_still_goes_on(watched: Watched) -> None:
    watched.silence("sales_failing", minutes=20)
    fail(watched)
    watched.after(minutes=1)
    assert watched.heard() == {} and len(watched.open()) == 1

    watched.after(minutes=20)
    assert watched.heard() == {"pagerduty": 1, "whatsapp_founder": 1}


def test_silencing_what_was_told_acknowledges_it_and_its_end_is_told(watched: Watched) -> None:
    fail(watched)
    watched.after(seconds=15)
    watched.silence(None, hours=5)
    watched.after(seconds=15)
    watched.after(minutes=2)
    assert incidents(watched) == {"acknowledged"}
    assert watched.heard() == {"pagerduty": 2, "whatsapp_founder": 2}

    watched.after(hours=1)
    assert incidents(watched) == {"resolved"}


def test_whoever_is_told_is_led_to_the_page_that_shows_it(watched: Watched) -> None:
    watched.moment(conversation=77)
    watched.turns(12, "e2e_shopify_sales", outcome="failed", rule="error")
    watched.after(seconds=15)

    conversation = f"https://bot.example.cl/console/conversations/{watched.id}/77"
    board = f"https://bot.example.cl/console/alerts?tenant={watched.id}"
    kept = watched.told.http
    assert [each["attachments"][0]["title_link"] for each in kept.slack] == [conversation]
    (mail,) = watched.told.mail.mails
    assert conversation in mail.get_content()
    assert [each["client_url"] for each in kept.pagerduty] == [board]
    (template,) = kept.whatsapp
    assert template["template"]["components"][0]["parameters"][1]["text"].endswith(board)


def test_a_moment_in_a_silence_is_told_to_nobody(watched: Watched) -> None:
    watched.silence("frustration", minutes=5)
    watched.moment()
    watched.after(minutes=1)
    watched.after(minutes=10)
    assert watched.heard() == {} and watched.open() == []


def test_a_sink_that_fails_falls_back_to_the_next_and_says_so(watched: Watched) -> None:
    watched.told.http.away["pagerduty"] = 503
    fail(watched)
    watched.after(seconds=15)
    assert watched.heard() == {"whatsapp_founder": 2}  # its own, and the one PagerDuty did not take
    assert "pagerduty no recibió este aviso (pagerduty cannot take messages now: HTTP 503)" in str(
        watched.told.http.whatsapp
    )


def test_a_sink_that_comes_back_hears_of_it_after_all_and_nobody_hears_of_it_twice(watched: Watched) -> None:
    watched.told.http.away["pagerduty"] = 503
    fail(watched)
    watched.after(seconds=15)
    watched.after(minutes=3)
    watched.forget()
    watched.after(minutes=3)
    assert incidents(watched) == {"triggered"}
    assert watched.heard() == {"pagerduty": 1}


def test_with_every_sink_away_the_log_is_told(watched: Watched) -> None:
    watched.told.http.away.update({"pagerduty": 500, "slack": 404, "whatsapp": 503})
    watched.told.mail.refuses = "451 later"
    fail(watched)
    with capture_logs() as lines:
        watched.after(seconds=15)
    told = [line for line in lines if line["event"] == "alert"]
    assert {line["name"] for line in told} == {"sales_failing"} and len(told) == 2
    assert not [secret for secret in SECRETS if secret in str(lines)]


def test_without_any_set_up_alerts_are_in_the_mail_file(watched: Watched) -> None:
    watched.restart(
        slack_webhook_url=None,
        pagerduty_routing_key=None,
        smtp_host=None,
        whatsapp_token=None,
        whatsapp_to=None,
        whatsapp_phone_number_id=None,
    )
    watched.turns(12, FAQ, outcome="failed")
    watched.after(seconds=15)
    (mail,) = mails_in(watched.folder / MAIL_FILE)
    assert "pagerduty" in mail and "[Alerta]" in mail


def test_an_installation_routes_alerts_as_it_likes(watched: Watched) -> None:
    watched.restart(routes={"page": ("email",), "faq_slow": ()})
    fail(watched)
    watched.turns(12, FAQ, latency_ms=5500)
    watched.after(seconds=15)
    assert watched.heard() == {"email": 1}


def test_while_prometheus_watches_only_impatient_customers_are_told_of(watched: Watched) -> None:
    watched.rounds.watches = False
    fail(watched)
    watched.moment()
    watched.after(seconds=15)
    assert watched.heard() == {"slack": 1, "email": 1} and watched.open() == []


@pytest.fixture
def loop(watched: Watched, postgres: Any) -> Any:
    watched.restart(deadman_url=SecretStr(f"{watched.told.url}/ping/ours"))
    made = AlertLoop(owner_engine(postgres.url()), watched.rounds, watched.http)
    yield made
    made.stop()


def test_one_process_looks_at_a_time(watched: Watched, loop: AlertLoop, postgres: Any) -> None:
    other = AlertLoop(owner_engine(postgres.url()), watched.rounds, watched.http)
    seen: list[bool] = []
    watched.rounds.backlog = lambda: seen.append(other.round())

    assert loop.round()
    assert seen == [False]
    watched.rounds.backlog = lambda: None
    assert other.round()
    other.stop()


def test_the_dead_mans_switch_is_pressed_once_a_minute_and_only_after_a_round(
    watched: Watched, loop: AlertLoop
) -> None:
    for _ in range(9):
        assert loop.round()
        watched.clock.instant += timedelta(seconds=15)
    assert watched.told.http.pings == ["ours"] * 3

    watched.rounds.tenants = _raise
    watched.clock.instant += timedelta(minutes=5)
    assert not loop.round()
    assert len(watched.told.http.pings) == 3


def test_a_database_that_is_away_is_told_of_from_memory(watched: Watched, loop: AlertLoop) -> None:
    tenants, watched.rounds.tenants = watched.rounds.tenants, _raise
    for _ in range(5):
        assert not loop.round()
    assert watched.heard() == {"pagerduty": 1, "slack": 1, "email": 1, "whatsapp_founder": 1}

    watched.rounds.tenants = tenants
    assert loop.round()
    assert watched.told.http.incidents == {"smos/-/service_down:store": "resolved"}


def _raise() -> Any:
    raise OperationalError("select", None, Exception("away"))
