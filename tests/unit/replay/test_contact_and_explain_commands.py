"""``smos explain``, ``smos trace`` and ``smos contact`` as the operator uses them."""

from __future__ import annotations

import json

import pytest
from tests.support import claim_messages, heard
from tests.unit.replay.conftest import Installation, Shop
from typer.testing import CliRunner, Result

from smarteros.cli.main import app
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ToolResult
from smarteros.store.events import store_event
from smarteros.store.turn_inputs import load_inputs


def run(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(installation.data_dir)])


def answered(shop: Shop, text: str, *results: ToolResult) -> str:
    """A turn with the webhook that opened it."""
    turn = shop.answer(text, *results)
    with shop.services.database.tenant(shop.tenant.scope) as connection:
        recorded = load_inputs(connection, shop.tenant.tenant_id, turn)
        assert recorded is not None
        assert recorded.inputs is not None
        (message,) = recorded.inputs.resolved.messages
        store_event(connection, heard(message))
        claim_messages(connection, shop.tenant.tenant_id, message.conversation_id, turn)
    return turn


def test_an_answer_from_the_shops_texts_is_explained_to_customer_and_operator(
    installation: Installation, shop: Shop
) -> None:
    turn = shop.answer("¿cuál es el horario de atención?")
    told = run(installation, "explain", turn)
    customer = run(installation, "explain", turn, "--customer")
    read = json.loads(run(installation, "explain", turn, "--json").output)

    assert "asistente automático de Zapatería Ñandú" in customer.output
    assert "el horario de atención" in customer.output
    assert "Leyó este texto de la tienda" in customer.output
    assert "horarios.md" in told.output
    assert read["understood"]["intent"] == "faq_hours"
    assert read["understood"]["confidence"] >= read["understood"]["threshold"]
    assert read["text"]["template"]


def test_of_a_conversation_the_last_answer_is_explained(installation: Installation, shop: Shop) -> None:
    conversation = shop.answer("¿cuál es el horario de atención?").rpartition(":")[0]
    last = shop.answer("¿dónde quedan?")
    assert last.startswith(f"{conversation}:")

    assert json.loads(run(installation, "explain", conversation, "--json").output)["turn_id"] == last


def test_an_answer_from_a_tool_names_what_was_looked_up(
    installation: Installation, shop: Shop, found_shoes: ToolResult
) -> None:
    turn = shop.answer("¿Tienen zapatillas talla 42?", found_shoes)
    read = json.loads(run(installation, "explain", turn, "--json").output)

    assert "Consultó el catálogo de la tienda: obtuvo los datos." in read["for_customer"]
    assert read["tools"][0]["data"]["products"][0]["price"] == 39990
    assert read["understood"]["entities"]["size"] == "42"


def test_a_doubtful_message_is_explained_with_the_threshold(installation: Installation, shop: Shop) -> None:
    turn = shop.answer("¿Cómo?")

    assert "para responder sin preguntar necesita" in run(installation, "explain", turn, "--customer").output


def test_silence_for_a_person_is_explained_too(installation: Installation, shop: Shop) -> None:
    turn = shop.answer("hola", outcome="muted")

    assert "te estaba atendiendo una persona" in run(installation, "explain", turn).output


def test_a_story_is_told_in_the_order_of_time_without_personal_data(installation: Installation, shop: Shop) -> None:
    turn = answered(shop, "¿cuál es el horario? soy ana@correo.cl")
    lines = run(installation, "trace", turn).output.splitlines()
    story = json.loads(run(installation, "trace", turn, "--json").output)

    assert "ana@correo.cl" not in "\n".join(lines)
    assert "ana@correo.cl" in run(installation, "trace", turn, "--personal").output
    assert [each["at"] for each in story] == sorted(each["at"] for each in story)
    happened = {each["what"] for each in story}
    assert {"received", "audited", "step resolve", "step decide", "step call_tools", "step reply"} <= happened
    conversation = turn.rpartition(":")[0]
    assert len(run(installation, "trace", conversation).output.splitlines()) >= len(lines)


@pytest.mark.parametrize("command", ["explain", "trace"])
@pytest.mark.parametrize("name", ["nonsense", "NOBODY_HERE:1:000000000001", "x:1:2;DROP"])
def test_what_is_not_there_is_refused(installation: Installation, command: str, name: str) -> None:
    ended = run(installation, command, name)

    assert ended.exit_code != 0
    assert isinstance(ended.exception, RejectedInputError)


def test_a_person_is_told_erased_and_proven_erased(installation: Installation, shop: Shop) -> None:
    answered(shop, "¿cuál es el horario de atención?")
    person = ("--tenant", shop.tenant.tenant_id, "--chatwoot-id", "5")
    held = json.loads(run(installation, "contact", "export", *person, "--json").output)
    refused = CliRunner().invoke(
        app, ["contact", "erase", *person, "--data-dir", str(installation.data_dir)], input="n\n"
    )
    erased = json.loads(run(installation, "contact", "erase", *person, "--yes", "--json").output)
    after = run(installation, "contact", "export", *person).output

    assert len(held["rows"]["turns"]) == 1
    assert held["rows"]["audit_events"][0]["details"]["personal"]["name"] == "Camila"
    assert refused.exit_code == 1
    assert erased["rows"]["turns"] == 1
    assert "Nothing is held of this person." in after
    assert erased["erasure_id"] in after


def test_a_person_is_left_alone_until_the_block_is_lifted(installation: Installation, shop: Shop) -> None:
    person = ("--tenant", shop.tenant.tenant_id, "--chatwoot-id", "5")
    blocked = run(installation, "contact", "block", *person)
    shown = run(installation, "contact", "export", *person)
    lifted = json.loads(run(installation, "contact", "block", *person, "--lift", "--json").output)

    assert blocked.exit_code == 0
    assert "leaves this person alone" in shown.output
    assert lifted == {"contacts": 1, "blocked": False}
    assert "alone" not in run(installation, "contact", "export", *person).output
