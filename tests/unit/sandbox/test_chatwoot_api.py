"""The account API of the stand-in Chatwoot: who may do what, and what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .chatwoot_stand import Stand, running

NOT_FOR_BOTS = {"error": "Access to this endpoint is not authorized for bots"}
NOT_FOUND = {"error": "Resource could not be found"}


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running(tmp_path, accounts=2) as stand:
        yield stand


def test_health_and_version(stand: Stand) -> None:
    assert stand.client.get("/health").json() == {"status": "woot"}
    assert stand.client.get("/api").json()["version"] == "4.16.2"
    assert stand.client.get("/api/health").status_code == 404


def test_tokens(stand: Stand) -> None:
    unnamed = stand.client.get("/api/v1/accounts/1/conversations")
    assert unnamed.status_code == 401
    wrong = stand.api("GET", "/conversations", "nonsense")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "Invalid Access Token"})
    foreign = stand.api("GET", "/conversations", "AdministratorToken000002")
    assert foreign.json() == {"error": "You are not authorized to access this account"}
    hyphens = stand.client.get("/api/v1/profile", headers={"api-access-token": stand.token})
    assert hyphens.json()["accounts"][0]["role"] == "administrator"
    plain_agent = stand.api("GET", "/webhooks", stand.agent_token())
    assert plain_agent.json() == {"error": "You are not authorized to do this action"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations"),
        ("GET", "/conversations/1/messages"),
        ("GET", "/contacts/search?q=juan"),
        ("POST", "/contacts"),
        ("GET", "/inboxes"),
        ("GET", "/agent_bots"),
        ("GET", "/webhooks"),
        ("GET", "/agents"),
    ],
)
def test_a_bot_token_opens_little(stand: Stand, method: str, path: str) -> None:
    bot = stand.connect_bot()
    answer = stand.api(method, path, bot["access_token"])
    assert (answer.status_code, answer.json()) == (401, NOT_FOR_BOTS)


def test_a_bot_token_opens_its_conversations(stand: Stand) -> None:
    token = stand.connect_bot()["access_token"]
    number = stand.customer().conversation_id
    stand.ok("GET", f"/conversations/{number}", token)
    stand.ok("GET", f"/conversations/{number}/labels", token)
    stand.ok("POST", f"/conversations/{number}/labels", token, json={"labels": ["ventas"]})
    stand.ok("POST", f"/conversations/{number}/toggle_typing_status", token, json={"typing_status": "on"})
    stand.ok("POST", f"/conversations/{number}/toggle_priority", token, json={"priority": "high"})
    stand.ok("POST", f"/conversations/{number}/assignments", token, json={"assignee_id": 12})
    assert stand.conversation(number)["priority"] == "high"
    other = stand.client.get("/api/v1/accounts/2/conversations/1", headers={"api_access_token": token})
    assert other.json() == {"error": "Bot is not authorized to access this account"}


def test_before_4_14_2_a_bot_could_not_read(tmp_path: Path) -> None:
    with running(tmp_path / "old", profile="4.13") as stand:
        token = stand.connect_bot()["access_token"]
        number = stand.customer().conversation_id
        assert stand.api("GET", f"/conversations/{number}", token).json() == NOT_FOR_BOTS


def test_a_new_conversation_of_a_bot_inbox_is_pending_and_the_bots(stand: Stand) -> None:
    bot = stand.connect_bot()
    conversation = stand.conversation(stand.customer().conversation_id)
    assert conversation["status"] == "pending"
    assert conversation["meta"]["assignee"]["id"] == bot["id"]
    assert conversation["meta"]["assignee_type"] == "AgentBot"


def test_handing_over_answers_success_null(stand: Stand) -> None:
    token = stand.connect_bot()["access_token"]
    number = stand.customer().conversation_id
    answer = stand.ok("POST", f"/conversations/{number}/toggle_status", token, json={"status": "open"})
    assert answer["payload"] == {
        "success": None,
        "conversation_id": number,
        "current_status": "open",
        "snoozed_until": None,
    }
    again = stand.ok("POST", f"/conversations/{number}/toggle_status", token, json={"status": "resolved"})
    assert again["payload"]["success"] is True


def test_a_person_takes_over(stand: Stand) -> None:
    stand.connect_bot()
    number = stand.customer().conversation_id
    message = stand.post(number, stand.agent_token(), content="Hola, soy Ana")
    assert message["sender"]["type"] == "user"
    assert stand.conversation(number)["status"] == "pending"
    stand.ok("POST", f"/conversations/{number}/assignments", stand.agent_token(), json={"assignee_id": 11})
    conversation = stand.conversation(number)
    assert conversation["meta"]["assignee_type"] == "User"
    assert conversation["status"] == "pending"
    assert conversation["first_reply_created_at"] > 0


def test_since_4_17_an_assigned_person_opens_the_conversation(tmp_path: Path) -> None:
    with running(tmp_path / "new", profile="4.17") as stand:
        bot = stand.connect_bot()
        number = stand.customer().conversation_id
        path = f"/conversations/{number}/assignments"
        stand.ok("POST", path, json={"assignee_id": 11})
        assert stand.conversation(number)["status"] == "open"
        stand.ok("POST", path, json={"assignee_id": bot["id"], "assignee_type": "AgentBot"})
        assert stand.conversation(number)["status"] == "pending"


def test_assignments_ignore_the_team_beside_a_person_and_unknown_people(stand: Stand) -> None:
    number = stand.customer().conversation_id
    path = f"/conversations/{number}/assignments"
    assert stand.ok("POST", path, json={"assignee_id": 11, "team_id": 5})["name"] == "Ana Agente"
    assert stand.ok("POST", path, json={"assignee_id": 111}) is None
    assert stand.conversation(number)["meta"]["assignee_type"] is None


def test_a_conversation_is_given_to_a_team_and_a_team_that_is_not_there_takes_it_away(stand: Stand) -> None:
    bot = stand.connect_bot()
    number = stand.customer().conversation_id
    path = f"/conversations/{number}/assignments"
    team = stand.ok("POST", "/teams", json={"name": "Reclamos", "allow_auto_assign": False})
    assert team["name"] == "reclamos"
    assert stand.api("POST", "/teams", json={"name": "RECLAMOS"}).status_code == 422

    assert stand.ok("POST", path, bot["access_token"], json={"team_id": team["id"]})["name"] == "reclamos"
    assert stand.conversation(number)["meta"]["team"]["id"] == team["id"]
    assert stand.conversation(number)["status"] == "pending"

    assert stand.ok("POST", path, bot["access_token"], json={"team_id": 555}) is None
    assert "team" not in stand.conversation(number)["meta"]


def test_labels_people_may_choose_are_made_by_administrators(stand: Stand) -> None:
    made = stand.ok("POST", "/labels", json={"title": "Urgente"})
    assert made in stand.ok("GET", "/labels")["payload"]
    assert made["title"] == "urgente"
    assert stand.api("POST", "/labels", json={"title": "dos palabras"}).status_code == 422
    assert stand.api("POST", "/labels", stand.agent_token(), json={"title": "otra"}).status_code == 401


def test_labels_and_custom_attributes_are_replaced(stand: Stand) -> None:
    number = stand.customer().conversation_id
    stand.ok("POST", f"/conversations/{number}/labels", json={"labels": ["uno", "dos"]})
    assert stand.ok("POST", f"/conversations/{number}/labels", json={"labels": ["tres"]}) == {"payload": ["tres"]}
    path = f"/conversations/{number}/custom_attributes"
    stand.ok("POST", path, json={"custom_attributes": {"a": 1}})
    answer = stand.ok("POST", path, json={"custom_attributes": {"b": 2}, "merge": True})
    assert answer == {"custom_attributes": {"b": 2}}
    too_long = stand.api("POST", path, json={"custom_attributes": {"a": "x" * 1501}})
    assert too_long.status_code == 422


def test_since_4_17_custom_attributes_merge(tmp_path: Path) -> None:
    with running(tmp_path / "new", profile="4.17") as stand:
        path = f"/conversations/{stand.customer().conversation_id}/custom_attributes"
        stand.ok("POST", path, json={"custom_attributes": {"a": 1}})
        answer = stand.ok("POST", path, json={"custom_attributes": {"b": 2}, "merge": True})
        assert answer == {"custom_attributes": {"a": 1, "b": 2}}


def test_lists_show_open_ones_unless_asked(stand: Stand) -> None:
    stand.connect_bot()
    number = stand.customer().conversation_id
    assert stand.ok("GET", "/conversations")["data"]["payload"] == []
    pending = stand.ok("GET", "/conversations?status=pending&assignee_type=all&updated_within=120")["data"]
    assert [entry["id"] for entry in pending["payload"]] == [number]
    assert set(pending["meta"]) == {"mine_count", "assigned_count", "unassigned_count", "all_count"}


def test_contacts(stand: Stand) -> None:
    created = stand.ok(
        "POST",
        "/contacts",
        json={"inbox_id": 7, "name": "Eva", "phone_number": "+56922222222", "custom_attributes": {"a": 1}},
    )["payload"]
    assert created["contact_inbox"]["source_id"] == "56922222222"
    number = created["contact"]["id"]
    taken = stand.api("POST", "/contacts", json={"name": "Otra", "phone_number": "+56922222222"})
    assert taken.status_code == 422
    assert taken.json() == {"message": "Phone number has already been taken", "attributes": ["phone_number"]}
    malformed = stand.api("POST", "/contacts", json={"phone_number": "912345678"})
    assert malformed.json()["attributes"] == ["phone_number"]
    changed = stand.ok("PUT", f"/contacts/{number}", json={"custom_attributes": {"b": 2}})["payload"]
    assert changed["custom_attributes"] == {"a": 1, "b": 2}
    assert stand.ok("GET", f"/contacts/{number}")["payload"]["name"] == "Eva"
    found = stand.ok("GET", "/contacts/search?q=2222222")
    assert [entry["id"] for entry in found["payload"]] == [number]
    assert found["meta"] == {"count": 1, "current_page": 1, "has_more": False}


def test_webhooks_are_unique_by_url(stand: Stand) -> None:
    hook = stand.add_webhook("https://bot.example/hook")
    assert len(hook["secret"]) == 24
    assert len(hook["subscriptions"]) == 8
    again = stand.api("POST", "/webhooks", json={"webhook": {"url": "https://bot.example/hook"}})
    assert again.status_code == 422
    assert again.json() == {"message": "Url has already been taken", "attributes": ["url"]}
    assert stand.api("POST", "/webhooks", json={"url": "javascript:1"}).status_code == 422
    bad = stand.api("PATCH", f"/webhooks/{hook['id']}", json={"subscriptions": ["nonsense"]})
    assert bad.status_code == 422
    stand.ok("PATCH", f"/webhooks/{hook['id']}", json={"subscriptions": ["message_created"]})
    [listed] = stand.ok("GET", "/webhooks")["payload"]["webhooks"]
    assert listed["subscriptions"] == ["message_created"]
    assert listed["secret"] == hook["secret"]
    stand.ok("DELETE", f"/webhooks/{hook['id']}")
    assert stand.ok("GET", "/webhooks")["payload"]["webhooks"] == []


def test_agent_bots(stand: Stand) -> None:
    bot = stand.connect_bot("https://bot.example/hook", "whatsapp")
    assert len(bot["secret"]) == len(bot["access_token"]) == 24
    shown = stand.ok("GET", f"/agent_bots/{bot['id']}", stand.agent_token())
    assert "secret" not in shown
    assert "access_token" not in shown
    assert stand.ok("GET", "/inboxes/7/agent_bot")["agent_bot"]["id"] == bot["id"]
    assert stand.ok("GET", "/inboxes/3/agent_bot") == {"agent_bot": {}}
    renewed = stand.ok("POST", f"/agent_bots/{bot['id']}/reset_secret")
    assert renewed["secret"] != bot["secret"]
    token = stand.ok("POST", f"/agent_bots/{bot['id']}/reset_access_token")["access_token"]
    assert token != bot["access_token"]
    stand.ok("PATCH", f"/agent_bots/{bot['id']}", json={"outgoing_url": "https://other.example/hook"})
    stand.ok("POST", "/inboxes/7/set_agent_bot", json={"agent_bot": None})
    assert stand.ok("GET", "/inboxes/7/agent_bot") == {"agent_bot": {}}
    stand.ok("DELETE", f"/agent_bots/{bot['id']}")
    assert stand.ok("GET", "/agent_bots") == []


def test_settings_lists(stand: Stand) -> None:
    kinds = {entry["channel_type"] for entry in stand.ok("GET", "/inboxes")["payload"]}
    assert kinds == {"Channel::Whatsapp", "Channel::WebWidget", "Channel::Email"}
    assert {entry["name"] for entry in stand.ok("GET", "/agents")} >= {"Ana Agente", "Benito Ayuda"}
    assert {team["name"] for team in stand.ok("GET", "/teams")} == {"ventas", "postventa"}
    assert len(stand.ok("GET", "/canned_responses?search=boleta")) == 1
    made = stand.ok("POST", "/canned_responses", json={"short_code": "hora", "content": "9 a 18"})
    assert stand.api("POST", "/canned_responses", json={"short_code": "hora", "content": "x"}).status_code == 422
    changed = stand.ok("PATCH", f"/canned_responses/{made['id']}", json={"content": "10 a 19"})
    assert (changed["short_code"], changed["content"]) == ("hora", "10 a 19")
    assert stand.api("PATCH", f"/canned_responses/{made['id']}", json={"short_code": "espera"}).status_code == 422
    stand.ok("DELETE", f"/canned_responses/{made['id']}")


def test_a_help_centre_is_written_listed_in_pages_and_searched(stand: Stand) -> None:
    stand.help_center("ayuda", {f"Pregunta {number}": f"Respuesta {number}." for number in range(27)})
    assert [each["slug"] for each in stand.ok("GET", "/portals")["payload"]] == ["ayuda"]
    assert stand.ok("GET", "/portals/ayuda")["meta"]["published_count"] == 27
    articles = "/portals/ayuda/articles"
    first, second = (stand.ok("GET", f"{articles}?status=published&page={page}") for page in (1, 2))
    assert (len(first["payload"]), len(second["payload"])) == (25, 2)
    assert (first["meta"]["articles_count"], second["meta"]["current_page"]) == (27, 2)
    heading = {"name": "Despachos", "slug": "despachos", "locale": "en"}
    category = stand.ok("POST", "/portals/ayuda/categories", json={"category": heading})["payload"]
    draft = {"title": "Where do you ship?", "content": "Everywhere.", "author_id": 11, "category_id": category["id"]}
    made = stand.ok("POST", articles, json={"article": draft})["payload"]
    assert (made["status"], made["category"]["locale"]) == ("draft", "en")
    assert stand.ok("GET", f"{articles}?locale=en&status=published")["payload"] == []
    stand.ok("PATCH", f"{articles}/{made['id']}", json={"article": {"status": 1}})
    listed = stand.ok("GET", f"{articles}?category_slug=despachos&query=everywhere")["payload"]
    assert [each["id"] for each in listed] == [made["id"]]
    stand.ok("DELETE", f"{articles}/{made['id']}")
    assert stand.api("GET", f"{articles}/{made['id']}").status_code == 404


def test_a_help_centre_refuses_what_chatwoot_refuses(stand: Stand) -> None:
    stand.help_center("ayuda", {})
    for body in ({"name": "x"}, {"name": "x", "slug": "ayuda"}):
        assert stand.api("POST", "/portals", json={"portal": body}).status_code == 422
    unfit: tuple[dict[str, Any], ...] = (
        {"title": "sin autor"},
        {"title": "", "author_id": 11},
        {"title": "vacío", "author_id": 11, "status": "published"},
        {"title": "raro", "author_id": 11, "status": "nada"},
    )
    for article in unfit:
        assert stand.api("POST", "/portals/ayuda/articles", json={"article": article}).status_code == 422
    bot = stand.connect_bot()
    assert stand.api("GET", "/portals", bot["access_token"]).status_code == 401
    assert stand.api("GET", "/portals/otra/articles").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/conversations/999", "/conversations/abc", "/conversations/²", "/inboxes/107", "/contacts/1", "/nonsense"],
)
def test_what_is_not_there_is_404(stand: Stand, path: str) -> None:
    answer = stand.api("GET", path)
    assert answer.status_code == 404
    assert answer.json() == NOT_FOUND or path == "/nonsense"


def test_api_500_and_slow(stand: Stand) -> None:
    stand.faults.set("chatwoot", "api_500", times=1)
    assert stand.api("GET", "/inboxes").status_code == 500
    stand.faults.set("chatwoot", "slow", times=1, value=0.2)
    started = time.monotonic()
    stand.ok("GET", "/inboxes")
    assert time.monotonic() - started >= 0.2
    assert stand.faults.list() == []
