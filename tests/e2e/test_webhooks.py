"""Webhooks in Chatwoot's real format: answered, ignored by name, or refused and audited."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SHARED
from tests.e2e.world import World, as_bytes

SHOES, CLOTHES = "TENANT_DEMO", "TENANT_RUT_77123456"
OUR_FIXTURES = Path(__file__).parents[1] / "fixtures" / "chatwoot"
REAL_FIXTURES = SHARED / "fixtures" / "chatwoot"

# What must become of each situation. None: it is answered.
VERDICTS: dict[str, str | None] = {
    "message_created.whatsapp_text": None,
    "message_created.whatsapp_image_no_caption": None,
    "message_created.webwidget_text": None,
    "message_created.email": None,
    "message_created.outgoing_by_bot": "own_reply",
    "message_created.outgoing_by_human": "human_reply",
    "message_created.private_note": "private_note",
    "message_created.template_greeting": "template",
    "message_created.whatsapp_app_echo": "whatsapp_app_echo",
    "message_updated.send_failed_24h": "delivery_failed",
    "message_updated.input_select_answer": None,
    "conversation_created": "not_a_message_event",
    "conversation_status_changed": "not_a_message_event",
    "conversation_updated.assigned": "not_a_message_event",
    "webwidget_triggered": "not_a_message_event",
}
_next_id = iter(range(800_000_000, 900_000_000))


def hook(world: World, tenant_id: str) -> tuple[str, str]:
    bot = next(w for w in world.shop(tenant_id)["webhooks"] if w["kind"] == "agent_bot")
    return bot["url"], bot["secret"]


def text_message(world: World, tenant_id: str, **changes: Any) -> dict[str, Any]:
    body = json.loads((OUR_FIXTURES / "message_created.whatsapp_text.json").read_text())
    body |= {"id": next(_next_id), "account": {"id": world.shop(tenant_id)["account_id"], "name": "x"}}
    return body | changes


@pytest.mark.parametrize("folder", [OUR_FIXTURES, REAL_FIXTURES], ids=["ours", "real"])
@pytest.mark.parametrize("name", VERDICTS)
def test_every_known_situation_is_answered_or_ignored_by_name(world: World, folder: Path, name: str) -> None:
    path = folder / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    body = json.loads(path.read_text())
    account = {"id": world.shop(SHOES)["account_id"], "name": "Demo SpA"}
    body |= {"account": account}
    if "message" in name:
        body |= {"id": next(_next_id)}
    answer = world.post_webhook(*_signed(world, body))

    assert answer.status_code == 200
    verdict = VERDICTS[name]
    expected = ("accepted", None) if verdict is None else ("ignored", verdict)
    assert (answer.json()["status"], answer.json()["reason"]) in {expected, ("duplicate", None)}


def _signed(world: World, body: dict[str, Any]) -> tuple[str, bytes, str]:
    url, secret = hook(world, SHOES)
    return url, as_bytes(body), secret


def test_the_shared_url_takes_the_same_webhooks(world: World) -> None:
    _, secret = hook(world, SHOES)
    body = as_bytes(text_message(world, SHOES))
    answer = world.post_webhook(f"{world.url}/webhook/chatwoot-events", body, secret)

    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")


def test_the_same_message_delivered_again_is_a_duplicate(world: World) -> None:
    url, secret = hook(world, SHOES)
    body = as_bytes(text_message(world, SHOES))

    assert world.post_webhook(url, body, secret).json()["status"] == "accepted"
    assert world.post_webhook(url, body, secret).json()["status"] == "duplicate"


def test_a_wrong_signature_is_401_and_audited_under_nobody(world: World) -> None:
    url, _ = hook(world, SHOES)
    before = len(world.audit(""))
    answer = world.post_webhook(url, as_bytes(text_message(world, SHOES)), "another-secret")

    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid HMAC signature", "code": "invalid_signature"}
    events = world.audit("")
    assert len(events) == min(before + 1, 500)
    assert events[-1]["tenant_id"] is None
    assert events[-1]["details"]["code"] == "invalid_signature"


def test_a_delivery_older_than_five_minutes_is_401(world: World) -> None:
    url, secret = hook(world, SHOES)
    answer = world.post_webhook(url, as_bytes(text_message(world, SHOES)), secret, at=int(time.time()) - 301)

    assert (answer.status_code, answer.json()["code"]) == (401, "stale_timestamp")


def test_another_tenants_account_in_a_rightly_signed_body_is_403(world: World) -> None:
    url, secret = hook(world, SHOES)
    foreign = text_message(world, CLOTHES)

    answer = world.post_webhook(url, as_bytes(foreign), secret)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_account")


def test_the_secret_of_one_tenant_opens_no_url_of_another(world: World) -> None:
    url, _ = hook(world, CLOTHES)
    _, secret = hook(world, SHOES)

    assert world.post_webhook(url, as_bytes(text_message(world, CLOTHES)), secret).status_code == 401


def test_a_bare_signature_is_not_accepted_instead_of_the_versioned_one(world: World) -> None:
    url, secret = hook(world, CLOTHES)
    body = as_bytes(text_message(world, CLOTHES))
    bare = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    answer = world.http.post(url, content=body, headers={"X-Chatwoot-Signature": bare})

    assert (answer.status_code, answer.json()["code"]) == (401, "legacy_not_allowed")


def test_a_body_that_was_changed_after_signing_is_401(world: World) -> None:
    url, secret = hook(world, SHOES)
    body = as_bytes(text_message(world, SHOES))
    stamp = str(int(time.time()))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Signature": f"sha256={signature}"}

    assert world.http.post(url, content=body + b" ", headers=headers).status_code == 401


def test_a_body_over_two_mebibytes_is_413(world: World) -> None:
    url, secret = hook(world, SHOES)

    assert world.post_webhook(url, b"x" * (2 * 1024 * 1024 + 1), secret).status_code == 413


def test_a_signed_body_that_is_not_json_is_422(world: World) -> None:
    url, secret = hook(world, SHOES)
    answer = world.post_webhook(url, b"{not json", secret)

    assert (answer.status_code, answer.json()["code"]) == (422, "not_json")
