"""The Odoo tools over the stand-in, in both dialects: recorded exchange by exchange, and what must not happen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from smarteros.domain.tools import ToolResult
from smarteros.edge.tool_texts import failure_of

from .odoo_situations import FAILURES, FOLDER, RETURN, SITUATIONS, VERSIONS, Bench, Situation, bench, recording

CASES = [(name, version) for version in VERSIONS for name in SITUATIONS]


@pytest.fixture(scope="module")
def odoo() -> Iterator[Bench]:
    with bench() as made:
        yield made


def written(name: str, version: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.{version}.json").read_text("utf-8"))


@pytest.mark.parametrize(("name", "version"), CASES)
def test_every_situation_goes_over_the_wire_as_it_was_recorded(odoo: Bench, name: str, version: str) -> None:
    assert recording(*odoo.play(SITUATIONS[name], version)) == written(name, version)


def test_every_recording_is_of_a_situation() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {f"{name}.{version}.json" for name, version in CASES}


@pytest.mark.parametrize("name", SITUATIONS)
def test_both_dialects_give_the_same_answers(name: str) -> None:
    new, old = (written(name, version)["results"] for version in VERSIONS)
    assert new == old


def result(name: str, call: int = -1) -> dict[str, Any]:
    return written(name, "19.0")["results"][call]


def made(name: str, version: str, model: str) -> list[dict[str, Any]]:
    """The records a situation made."""
    found: list[dict[str, Any]] = []
    for exchange in written(name, version)["exchanges"]:
        if exchange["path"] == f"/json/2/{model}/create":
            found += exchange["request"]["vals_list"]
        if exchange["path"] == "/jsonrpc" and exchange["request"]["params"]["args"][3:5] == [model, "create"]:
            found += exchange["request"]["params"]["args"][5][0]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_made_twice_is_one_ticket_with_one_number(version: str) -> None:
    (ticket,) = made("ticket_twice", version, "helpdesk.ticket")
    first, second = (each["data"]["ticket"] for each in written("ticket_twice", version)["results"])
    assert first["number"] == second["number"]
    assert first["number"] in ticket["name"]
    assert (first["created"], second["created"]) == (True, False)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_whose_answer_was_lost_is_found_by_the_second_try(version: str) -> None:
    assert len(made("ticket_answer_lost", version, "helpdesk.ticket")) == 1
    lost, found = written("ticket_answer_lost", version)["results"]
    assert (lost["outcome"], lost["retryable"]) == ("error", True)
    assert found["data"]["ticket"]["created"] is False


@pytest.mark.parametrize("version", VERSIONS)
def test_without_helpdesk_the_request_is_an_activity_of_the_seller_on_the_invoice(version: str) -> None:
    (activity,) = made("ticket_without_helpdesk", version, "mail.activity")
    assert activity["user_id"] == 7
    assert result("ticket_without_helpdesk")["data"]["ticket"]["number"] in activity["summary"]


def test_nothing_is_asked_of_odoo_before_the_customer_confirmed() -> None:
    assert written("ticket_not_confirmed", "19.0")["exchanges"] == []
    assert result("ticket_not_confirmed")["error_code"] == "not_confirmed"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["ticket_of_somebody_else", "ticket_not_confirmed"])
def test_nothing_is_made_for_who_may_not_hear_of_the_invoice(name: str, version: str) -> None:
    assert made(name, version, "helpdesk.ticket") == made(name, version, "mail.activity") == []


def test_a_claim_tells_neither_history_nor_invoices() -> None:
    assert result("history_claimed")["data"] == {"identity": "claimed", "history": None, "last_purchases": []}


def test_a_customer_hears_how_much_and_what_he_bought() -> None:
    told = result("history")["data"]
    assert told["history"] == {"total_purchases": 3, "total_returns": 0, "customer_tier": "regular"}
    assert [purchase["product_name"] for purchase in told["last_purchases"][:2]] == [
        "Sandalia Valle de Elqui",
        "Zapatilla Running Azul",
    ]


def test_what_a_customer_writes_stays_text_in_the_ticket(odoo: Bench) -> None:
    situation = Situation("odoo_create_ticket", ({**RETURN, "description": "<script>x</script>"},))
    odoo.play(situation, "19.0")
    create = next(e for e in odoo.recorder.exchanges if e["path"].endswith("helpdesk.ticket/create"))
    note = create["request"]["vals_list"][0]["description"]
    assert "<script>" not in note
    assert "&lt;script&gt;" in note


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FAILURES)
def test_only_what_may_pass_by_itself_is_worth_another_try(name: str, version: str) -> None:
    (failed,) = written(name, version)["results"]
    assert failed["outcome"] == "error"
    assert failed["retryable"] is name.endswith(("server_error", "time_out"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FAILURES)
def test_what_went_wrong_inside_odoo_is_told_to_nobody(name: str, version: str) -> None:
    (failed,) = written(name, version)["results"]
    sentences = failure_of(ToolResult.model_validate({**failed, "duration_ms": 1})).sentences
    for inside in ("Traceback", "psycopg2", "exceptions.", "account.move", "API_KEY"):
        assert inside not in json.dumps(failed) + sentences


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name in FAILURES if name.startswith("ticket")])
def test_a_ticket_that_could_not_be_asked_for_is_not_made(name: str, version: str) -> None:
    assert made(name, version, "helpdesk.ticket") == made(name, version, "mail.activity") == []
