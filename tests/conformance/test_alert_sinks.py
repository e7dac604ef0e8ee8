"""What every AlertSink must do: take all kinds of news, say why it cannot, and never tell a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from tests.paging import SECRETS, Told, mails_in, receivers

from smarteros.alerts.protocol import AlertNews, AlertSink, Notice
from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.sinks import MAIL_FILE, open_sinks
from smarteros.domain.alerts import Alert, NewsKind, SinkName
from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
KINDS: tuple[NewsKind, ...] = ("firing", "repeated", "acknowledged", "resolved")


def alert(**changed: Any) -> Alert:
    values: dict[str, Any] = {
        "tenant_id": "TENANT_DEMO",
        "key": "error_rate:e2e_shopify_sales",
        "name": "sales_failing",
        "signal": "error_rate",
        "flow_id": "e2e_shopify_sales",
        "severity": "page",
        "notify": ("pagerduty", "whatsapp_founder"),
        "value": 0.12,
        "threshold": 0.05,
        "started_at": NOW - timedelta(minutes=7),
    }
    return Alert(**values | changed)


def notice(kind: NewsKind = "firing", text: str = "TENANT_DEMO falla en 12 %.", **changed: Any) -> Notice:
    ended = {"resolved_at": NOW} if kind == "resolved" else {}
    return Notice(news=(AlertNews(alert=alert(**ended | changed), kind=kind, text=text),))


@dataclass
class Place:
    """A sink, the texts that arrived at its other side, and how that side misbehaves."""

    name: SinkName
    sink: AlertSink
    texts: Callable[[], list[str]]
    away: Callable[[], object]
    refusing: Callable[[], object]


@pytest.fixture(scope="module")
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture(scope="module")
def all_told() -> Iterator[Told]:
    with receivers() as told:
        yield told


@pytest.fixture
def told(all_told: Told) -> Told:
    all_told.clear()
    return all_told


def sinks(settings: AlertSettings, http: HttpClient, folder: Path) -> dict[SinkName, AlertSink]:
    return dict(open_sinks(settings, http, folder, FixedClock(NOW)))


@pytest.fixture(params=["slack", "pagerduty", "whatsapp_founder", "email"])
def place(request: pytest.FixtureRequest, told: Told, http: HttpClient, tmp_path: Path) -> Place:
    name: SinkName = request.param
    sink = sinks(told.settings(), http, tmp_path)[name]
    wire = {"whatsapp_founder": "whatsapp"}.get(name, name)
    if name == "email":
        return Place(
            name,
            sink,
            lambda: [f"{mail['subject']}\n{mail.get_content()}" for mail in told.mail.mails],
            lambda: setattr(told.mail, "refuses", "451 try again later"),
            lambda: setattr(told.mail, "refuses", "554 not with us"),
        )
    return Place(
        name,
        sink,
        lambda: [json.dumps(body, ensure_ascii=False) for body in getattr(told.http, wire)],
        lambda: told.http.away.update({wire: 503}),
        lambda: told.http.away.update({wire: 400}),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_news_are_taken(place: Place, kind: NewsKind) -> None:
    place.sink.send(notice(kind))

    (text,) = place.texts()
    assert "sales_failing" in text or "TENANT_DEMO" in text or "error_rate:e2e_shopify_sales" in text


def test_line_breaks_and_lengths_of_strangers_are_made_to_fit(place: Place) -> None:
    strange = "Línea 1\nBcc: otro@example.com\r\n\t <!channel> & «ñandú» 👍" + " x" * 3000
    place.sink.send(notice(text=strange, name="odd\nname"))

    (text,) = place.texts()
    assert "ñandú" in text and "Línea 1" in text


def test_a_hundred_alerts_are_one_notice(place: Place) -> None:
    one = notice().news[0]
    many = tuple(one.model_copy(update={"alert": alert(key=f"k{number}")}) for number in range(100))
    place.sink.send(Notice(news=many, notes=("slack no recibió este aviso.",)))

    texts = place.texts()
    assert len(texts) == (100 if place.name == "pagerduty" else 1)  # an incident is one alert's
    assert all("slack no recibió" in text for text in texts)


def test_a_receiver_that_is_busy_is_tried_again_later(place: Place) -> None:
    place.away()
    with pytest.raises(TransientError):
        place.sink.send(notice())


def test_what_a_receiver_will_never_take_is_permanent(place: Place) -> None:
    place.refusing()
    with pytest.raises(PermanentError):
        place.sink.send(notice())


def test_a_receiver_that_is_gone_is_tried_again_later(
    place: Place, told: Told, http: HttpClient, tmp_path: Path
) -> None:
    gone = "http://127.0.0.1:1"
    settings = told.settings(
        slack_webhook_url=SecretStr(f"{gone}/services/T/B/{SECRETS[0]}"),
        pagerduty_url=gone,
        whatsapp_url=f"{gone}/v26.0",
        smtp_port=1,
    )
    with pytest.raises(TransientError) as caught:
        sinks(settings, http, tmp_path)[place.name].send(notice())
    assert gone not in caught.value.operator_message


def test_a_wrong_key_is_the_operators_to_put_right(place: Place, told: Told, http: HttpClient, tmp_path: Path) -> None:
    settings = told.settings(
        slack_webhook_url=SecretStr(f"{told.url}/services/T/B/wrong"),
        pagerduty_routing_key=SecretStr("wrong"),
        whatsapp_token=SecretStr("wrong"),
        smtp_password=SecretStr("wrong"),
    )
    # PagerDuty says of a wrong key what it says of a wrong event.
    with pytest.raises(PermanentError if place.name == "pagerduty" else ConfigError):
        sinks(settings, http, tmp_path)[place.name].send(notice())


def test_no_secret_is_in_an_error_a_log_or_a_representation(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = [repr(place.sink)]
    with capture_logs() as lines:
        for misbehave in (place.refusing, place.away):
            misbehave()
            with pytest.raises(SmosError) as caught:
                place.sink.send(notice())
            said += [caught.value.operator_message, str(caught.value.__cause__)]
    shown = "\n".join((*said, json.dumps(lines, default=repr), *capsys.readouterr()))
    assert not [secret for secret in SECRETS if secret in shown]


def test_pagerduty_opens_acknowledges_and_resolves_one_incident(told: Told, http: HttpClient, tmp_path: Path) -> None:
    sink = sinks(told.settings(), http, tmp_path)["pagerduty"]
    key = "smos/TENANT_DEMO/error_rate:e2e_shopify_sales"
    seen: list[dict[str, str]] = []
    for kind in KINDS:
        sink.send(notice(kind))
        seen.append(told.http.incidents)

    assert seen == [{key: state} for state in ("triggered", "triggered", "acknowledged", "resolved")]
    first = told.http.pagerduty[0]
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["custom_details"] == {"value": 0.12, "threshold": 0.05}
    assert told.http.pagerduty[-1] == {
        "routing_key": first["routing_key"],
        "event_action": "resolve",
        "dedup_key": key,
    }


def test_slack_shows_colour_sign_and_facts_and_no_mark_up_of_strangers(
    told: Told, http: HttpClient, tmp_path: Path
) -> None:
    sink = sinks(told.settings(), http, tmp_path)["slack"]
    sink.send(notice(text="<!channel> a & b"))
    sink.send(notice("resolved"))

    first, second = told.http.slack
    assert first["text"] == "🔴 &lt;!channel&gt; a &amp; b"
    assert (first["attachments"][0]["color"], second["attachments"][0]["color"]) == ("danger", "good")
    assert {each["title"]: each["value"] for each in first["attachments"][0]["fields"]} == {
        "tenant": "TENANT_DEMO",
        "flow": "e2e_shopify_sales",
        "severity": "page",
    }


def test_whatsapp_sends_the_approved_template_in_one_line(told: Told, http: HttpClient, tmp_path: Path) -> None:
    sinks(told.settings(), http, tmp_path)["whatsapp_founder"].send(notice(text="uno\ndos\t  tres"))

    (sent,) = told.http.whatsapp
    assert sent["template"]["language"] == {"code": "es_CL"}
    assert [each["text"] for each in sent["template"]["components"][0]["parameters"]] == ["Alerta", "uno dos tres"]


def test_the_mails_of_an_alert_are_one_thread(told: Told, http: HttpClient, tmp_path: Path) -> None:
    sink = sinks(told.settings(), http, tmp_path)["email"]
    sink.send(notice())
    sink.send(notice("resolved"))

    first, second = told.mail.mails
    assert (first["to"], first["from"]) == ("ops@smarteros.example", "SmarterOS <alertas@smarteros.example>")
    assert second["in-reply-to"] == first["message-id"] != second["message-id"]
    assert first["subject"].startswith("[Alerta]") and second["subject"].startswith("[Resuelto]")
    assert "2026-11-23 11:53 -03 – 2026-11-23 12:00 -03" in second.get_content()


def test_without_an_smtp_server_mails_go_to_a_file(http: HttpClient, tmp_path: Path) -> None:
    found = sinks(AlertSettings(_env_file=None), http, tmp_path)  # pyright: ignore[reportCallIssue]
    found["email"].send(notice())
    found["email"].send(notice("resolved"))

    assert sorted(found) == ["console", "email"]
    first, second = mails_in(tmp_path / MAIL_FILE)
    assert "[Alerta]" in first and "[Resuelto]" in second


def test_the_console_writes_a_line_for_each_alert(http: HttpClient, tmp_path: Path) -> None:
    with capture_logs() as lines:
        sinks(AlertSettings(), http, tmp_path)["console"].send(notice())

    assert [(line["event"], line["name"], line["kind"], line["log_level"]) for line in lines] == [
        ("alert", "sales_failing", "firing", "error")
    ]


@pytest.mark.parametrize("half", [{"smtp_host": "mail.example"}, {"whatsapp_to": "+56911112222"}])
def test_half_a_set_up_is_refused_with_what_is_missing(half: dict[str, str], http: HttpClient, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SMOS_ALERT_"):
        sinks(AlertSettings(**half), http, tmp_path)  # pyright: ignore[reportArgumentType]
