"""A card's number a customer sends is stored nowhere, whatever form it comes in."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.flow.hearing import Hearing, message_ids
from tests.unit.store.queued import TurnQueue

from smarteros.kit.redaction import CARD_MASK, card_pieces, mask_cards, redact_line
from smarteros.store.events import burst

_CANARY = "4929 4212 3460 0821"
_DIGITS = _CANARY.replace(" ", "")


def dumped(queue: TurnQueue) -> str:
    """Every row of every table of ours, as text."""
    with queue.connection() as connection:
        names = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'smos'").scalars().all()
        tables = (connection.exec_driver_sql(f'SELECT t::text FROM smos."{name}" t').scalars() for name in names)
        return "\n".join(itertools.chain.from_iterable(tables))


def texts_of(bench: Bench) -> list[str]:
    with bench.database.tenant(TENANT.scope) as connection:
        found = burst(connection, TENANT.tenant_id, bench.conversation_id, "another")
    return [entry.message.text for entry in found]


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("message_created.whatsapp_text", {"content": f"pagué con {_CANARY} 12/29 123, ¿llegó?"}),
        ("message_created.whatsapp_text", {"content": f"mi tarjeta es {_DIGITS}"}),
        ("message_created.whatsapp_text", {"content": "4929-4212-3460-0821"}),
        ("message_created.whatsapp_text", {"sender__name": f"Ana {_CANARY}"}),
        ("message_created.email", {"content_attributes__email__text_content__quoted": f"tarjeta {_CANARY}"}),
    ],
)
def test_a_card_in_a_webhook_is_in_no_row_of_the_database(
    hearing: Hearing, turn_queue: TurnQueue, event: str, changes: dict[str, Any]
) -> None:
    assert hearing.hear(event, **changes).status == "accepted"

    kept = dumped(turn_queue)
    assert CARD_MASK in kept
    for form in (_CANARY, _DIGITS, _CANARY.replace(" ", "-")):
        assert form not in kept


def test_a_card_that_is_written_by_an_edit_is_not_stored_either(
    hearing: Hearing, bench: Bench, turn_queue: TurnQueue
) -> None:
    hearing.hear("message_created.whatsapp_text", id=880_001, content="hola")
    hearing.hear("message_updated.send_failed_24h", id=880_001, message_type="incoming", content_attributes={},
                 content=f"pagué con {_CANARY}")  # fmt: skip

    assert texts_of(bench) == [f"pagué con {CARD_MASK}"]
    assert _CANARY not in dumped(turn_queue)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005", "4111\n1111\n1111\n1111",
        "4111\u200b1111\u200b1111\u200b1111", "４１１１１１１１１１１１１１１１", "4111.1111.1111.1111",
        "41111111111111 11",
        "2 4111111111111111 12/27",
    ],
)  # fmt: skip
def test_however_a_card_is_grouped_it_is_masked(text: str) -> None:
    masked = mask_cards(f"pagué con {text} ayer")
    assert CARD_MASK in masked
    assert "1111" not in masked
    assert "0004" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "talla 42 a $39.990, o 34.990 o 12.990", "+56979540471 o +56 9 7954 0471", "IMEI 356938035643809",
        "4111 1111 1111 1112", "orden 12345678901234567890", "EAN 7801234567894",
    ],
)  # fmt: skip
def test_other_numbers_are_left_as_they_are(text: str) -> None:
    assert mask_cards(text) == text


def test_a_line_of_a_log_names_nobody_and_keeps_our_ids() -> None:
    line = (
        "TENANT_RUT_77123456:5:000000000012 step_failed: juan.perez@correo.cl, 12.345.678-5, +56979540471, "
        f"9 7954 0471, {_CANARY} (conversation 12345, 2026-11-23T11:00:00Z)"
    )
    assert redact_line(line) == (
        "TENANT_RUT_77123456:5:000000000012 step_failed: [EMAIL], [RUT], [PHONE], [PHONE], "
        f"{CARD_MASK} (conversation 12345, 2026-11-23T11:00:00Z)"
    )


@pytest.mark.parametrize(
    ("pieces", "order"),
    [(("4929", "4212", "34600821"), (0, 1, 2)), (("49294212", "3460", "0821"), (2, 1, 0))],
    ids=["in order", "out of order"],
)
def test_a_card_over_several_messages_is_masked_in_all_of_them(
    hearing: Hearing, bench: Bench, turn_queue: TurnQueue, pieces: tuple[str, ...], order: tuple[int, ...]
) -> None:
    ids = [next(message_ids) for _ in order]
    for at in order:
        hearing.hear("message_created.whatsapp_text", id=ids[at], content=pieces[at])

    assert texts_of(bench) == [CARD_MASK] * 3
    assert pieces[order[-1]] not in dumped(turn_queue)  # long enough to be in no other row by chance


@pytest.mark.parametrize(
    "said", [("4929 4212", "3460 0821"), ("4929", "4212", "3460", "0821"), ("3782", "822463", "10005")]
)
def test_the_pieces_of_a_card_are_seen_among_other_messages(said: tuple[str, ...]) -> None:
    assert card_pieces(("hola", "42", *said, "gracias")) == tuple(range(2, 2 + len(said)))


@pytest.mark.parametrize(
    "said",
    [
        ("49294", "21234600821"),
        ("4929 4212 3", "460 0821"),
        ("4929 4212", "hola", "3460 0821"),
        ("4929 4212", "3460 0822"),
    ],
)
def test_numbers_that_are_no_pieces_of_a_card_are_left(said: tuple[str, ...]) -> None:
    assert card_pieces(said) == ()
