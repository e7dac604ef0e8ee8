"""`smos tenant`: a shop is taken on, shown, suspended and resumed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.tenants.installation import PUBLIC_URL, Installation

from smarteros.domain.errors import ConfigError
from smarteros.store.audit import list_events
from smarteros.tenants.application import application, read_object


def test_a_shop_from_a_file_becomes_a_tenant_and_we_the_bot_of_its_inboxes(installation: Installation) -> None:
    wanted = installation.application("CMD_ONE")
    said = installation.add(wanted)

    tenant = installation.tenants.get("CMD_ONE")
    (bot,) = installation.outside.bots(wanted["account_id"])
    assert (tenant.rut, tenant.chatwoot_account_ids) == ("76192083-9", (wanted["account_id"],))
    assert bot.outgoing_url == said["webhook_url"] == f"{PUBLIC_URL}/webhooks/chatwoot/{tenant.tenant_key}"
    inboxes = installation.outside.inboxes(wanted["account_id"])
    assert {inbox.agent_bot_id for inbox in inboxes} == {bot.id}
    assert {inbox.inbox_id for inbox in tenant.inboxes} == {inbox.id for inbox in inboxes}
    # Chatwoot has chosen these; they cannot be.
    assert installation.secrets.read(tenant.scope, "chatwoot/api_token") == bot.access_token
    assert installation.secrets.read(tenant.scope, "chatwoot/hmac_secret") == bot.secret
    assert installation.secrets.find(tenant.scope, "botpress/api_key")
    # Its systems stand in a private network, and nobody has said that they may.
    remarks = [finding["check"] for finding in said["findings"] if finding["status"] not in ("ok", "skipped")]
    assert remarks == ["addresses.private"]
    assert said["created"] is True
    assert said["missing"] == ["kb: the shop's texts; smos kb import --tenant CMD_ONE FILE..."]


def test_done_again_it_changes_nothing_and_says_so(installation: Installation) -> None:
    wanted = installation.application("CMD_AGAIN")
    installation.add(wanted)
    again = installation.add(wanted)
    assert (again["created"], again["changes"]) == (False, [])

    told = installation.smos(
        "tenant", "add", "--id", "CMD_AGAIN", "--name", wanted["name"], "--rut", wanted["rut"],
        "--chatwoot-url", wanted["chatwoot_url"], "--account-id", str(wanted["account_id"]),
    )  # fmt: skip
    assert "nothing was changed" in told.stdout, told.output


def test_a_change_is_named_and_what_was_not_said_stays(installation: Installation) -> None:
    wanted = installation.application("CMD_CHANGE", tone="cercano")
    installation.add(wanted)
    installation.outside.bots(wanted["account_id"])[0].secret = "chosen anew by Chatwoot"
    only = {name: wanted[name] for name in ("tenant_id", "rut", "chatwoot_url", "account_id")}

    assert installation.add({**only, "name": "Otro nombre"})["changes"] == [
        "changed name",
        "set secret chatwoot/hmac_secret",
    ]
    assert installation.tenants.get("CMD_CHANGE").tone == "cercano"


def test_n8n_gets_the_webhooks_of_a_shop_it_leads_until_our_workers_do_again(installation: Installation) -> None:
    wanted = installation.application("CMD_N8N")
    installation.add(wanted)
    (bot,) = installation.outside.bots(wanted["account_id"])
    address, ours = "https://n8n.example.cl/webhook/chatwoot-events", bot.outgoing_url
    led = installation.asked("tenant", "orchestrate", "CMD_N8N", "--by", "n8n", "--webhook-url", address)

    assert (bot.outgoing_url, led["webhook_url"]) == (address, address)
    assert installation.tenants.get("CMD_N8N").orchestration == "n8n"
    assert installation.add(wanted)["changes"] == []  # taken on again, it stays with n8n
    installation.asked("tenant", "orchestrate", "CMD_N8N", "--by", "smarteros")
    assert bot.outgoing_url == ours
    installation.asked("tenant", "orchestrate", "CMD_N8N", "--by", "n8n")
    assert bot.outgoing_url == address
    refused = installation.smos("tenant", "orchestrate", "CMD_N8N", "--by", "cron")
    assert refused.exit_code != 0


def test_an_inbox_that_starts_open_uses_the_accounts_webhook(installation: Installation) -> None:
    wanted = installation.application("CMD_OPEN")
    first = installation.outside.inboxes(wanted["account_id"])[0].id
    installation.add({**wanted, "starts_open": [first]})
    tenant = installation.tenants.get("CMD_OPEN")

    assert tenant.starts(first) == "open"
    hooks = installation.outside.chatwoot.store.webhooks
    (webhook,) = [each for each in hooks if each.account_id == wanted["account_id"]]
    assert installation.secrets.read(tenant.scope, "chatwoot/webhook_secret") == webhook.secret
    assert installation.add(wanted)["changes"] == []  # not said again, it stays


@pytest.mark.parametrize(
    ("secret", "check"),
    [
        ({"chatwoot": {"user_token": "canary-wrong"}}, "chatwoot.user_token"),
        ({"shopify": {"client_secret": "canary-wrong"}}, "shopify.credentials"),
        ({"odoo": {"api_key": "canary-wrong"}}, "odoo.key"),
    ],
)
def test_a_wrong_key_is_named_with_a_remedy_and_nothing_is_stored(
    installation: Installation, secret: dict[str, Any], check: str
) -> None:
    wanted = installation.application("CMD_WRONG")
    for system, values in secret.items():
        wanted["secrets"][system] |= values
    done = installation.smos("tenant", "add", "--from", "-", "--json", stdin=json.dumps(wanted))

    assert done.exit_code == 1
    (failed,) = [each for each in json.loads(done.stdout)["findings"] if each["status"] == "failed"]
    assert failed["check"] == check
    assert failed["remedy"]
    assert "canary" not in done.output
    assert installation.tenants.find("CMD_WRONG") is None
    assert installation.outside.bots(wanted["account_id"]) == []


def test_the_questions_are_asked_again_until_the_answers_are_right(installation: Installation) -> None:
    wanted = installation.application("UNUSED")
    spec, token = wanted["secrets"], wanted["secrets"]["chatwoot"]["user_token"]
    chatwoot = [wanted["chatwoot_url"], str(wanted["account_id"])]
    lines = [
        "76.192.083-8", "Zapatería", "", "pro", "y",  # a wrong check digit
        "76.192.083-9", "Zapatería", "", "pro",
        *chatwoot, "canary-wrong", "y", *chatwoot, token,
        "",  # no shop
        wanted["secrets"]["odoo"]["instance_url"], spec["odoo"]["api_key"], "", str(wanted["odoo_company_id"]),
        wanted["odoo_database"],
        "",  # this machine reads photos
    ]  # fmt: skip
    done = installation.smos("tenant", "add", stdin="\n".join(lines) + "\n")

    assert done.exit_code == 0, done.output
    tenant = installation.tenants.get("TENANT_RUT_76192083")
    assert (tenant.name, tenant.tier) == ("Zapatería", "pro")
    assert "not a valid RUT" in done.output
    assert "✗ TENANT_RUT_76192083 chatwoot.user_token" in done.output
    assert "missing: shopify" in done.output
    assert token not in done.output
    assert "canary" not in done.output


def test_another_business_keeps_its_id_and_its_account(installation: Installation) -> None:
    wanted = installation.application("CMD_MINE")
    installation.add(wanted)
    for changed in ({"rut": "77.123.456-9"}, {"tenant_id": "CMD_YOURS"}):
        done = installation.smos("tenant", "add", "--from", "-", stdin=json.dumps({**wanted, **changed}))
        assert isinstance(done.exception, ConfigError)
        assert done.exception.code in ("tenant_id_taken", "account_taken")
    assert len(installation.outside.bots(wanted["account_id"])) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rut": "76.192.083-8"}, "rut is not a valid RUT"),
        ({"tenant_id": "tienda_demo"}, "tenant_id"),
        ({"tenant_id": "TENANT/../OTHER"}, "tenant_id"),
        ({"chatwoot_url": "ftp://x"}, "chatwoot_url is not an address"),
        ({"colour": "blue"}, "colour"),
        ({"secrets": {"shopify": {"nonsense": "canary-value"}}}, "nobody here knows shopify/nonsense"),
        ({"secrets": "canary-value"}, "secrets"),
        ({"name": None}, "name"),
    ],
)
def test_what_is_amiss_in_an_application_is_named_without_its_secrets(changes: dict[str, Any], sentence: str) -> None:
    right = {"name": "T", "rut": "76.192.083-9", "chatwoot_url": "https://c.example", "account_id": 1}
    assert application(right).tenant_id == "TENANT_RUT_76192083"
    with pytest.raises(ConfigError) as amiss:
        application({**right, **changes})
    assert sentence in amiss.value.operator_message
    assert "canary-value" not in amiss.value.operator_message


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as amiss:
        application({})
    said = amiss.value.operator_message
    assert all(f"{name} is missing" in said for name in ("name", "rut", "chatwoot_url", "account_id"))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_a_file_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_object(text)
    assert refused.value.code == "application_invalid"


def test_show_and_list_tell_everything_but_what_opens_something(installation: Installation) -> None:
    wanted = installation.application("CMD_SHOW")
    installation.add(wanted)
    shown = installation.asked("tenant", "show", "CMD_SHOW")
    listed = installation.asked("tenant", "list")

    assert "chatwoot/hmac_secret" in shown["secrets"]
    assert {row["tenant_id"]: row["state"] for row in listed}["CMD_SHOW"] == "active"
    told = json.dumps([shown, listed]) + installation.smos("tenant", "show", "CMD_SHOW").output
    held = [installation.secrets.read(installation.tenants.get("CMD_SHOW").scope, path) for path in shown["secrets"]]
    public = {wanted["secrets"]["odoo"]["instance_url"], wanted["secrets"]["shopify"]["store_domain"]}
    assert [value for value in held if value in told and value not in public] == []


def test_a_suspended_tenant_is_seen_by_others_and_told_of_in_its_audit(installation: Installation) -> None:
    installation.add(installation.application("CMD_STOP"))
    assert installation.asked("tenant", "suspend", "CMD_STOP", "--reason", "no paga")["changed"] is True
    assert installation.asked("tenant", "suspend", "CMD_STOP")["changed"] is False
    elsewhere = type(installation.tenants)(installation.database)
    assert elsewhere.is_suspended("CMD_STOP")

    assert installation.asked("tenant", "resume", "CMD_STOP")["changed"] is True
    assert "as before" in installation.smos("tenant", "resume", "CMD_STOP").stdout
    with installation.database.tenant(elsewhere.get("CMD_STOP").scope) as connection:
        events = list_events(connection, "CMD_STOP", None, 10)
    assert [event.kind for event in events] == ["tenant_added", "tenant_suspended", "tenant_resumed"]
    assert events[1].details == {"reason": "no paga"}


def test_status_tells_state_turns_and_whether_the_systems_answer(installation: Installation) -> None:
    installation.add(installation.application("CMD_STATUS"))
    done = installation.smos("status", "--tenant", "CMD_STATUS", "--json")
    (row,) = json.loads(done.stdout)
    assert done.exit_code == 0
    assert row["systems"] == {"chatwoot": True, "shopify": True, "odoo": True}
    assert (row["state"], row["turns"], row["waiting"], row["last_webhook_at"]) == ("active", 0, 0, None)

    scope = installation.tenants.get("CMD_STATUS").scope
    installation.secrets.write(scope, "odoo/instance_url", "http://127.0.0.1:1")
    gone = installation.smos("status", "--tenant", "CMD_STATUS")
    assert gone.exit_code == 1
    assert "✗" in gone.stdout
