"""Is a tenant's Chatwoot there and new enough, are we the bot of its inboxes, and would we believe its webhooks?"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Sequence

from smarteros.channels.chatwoot.client import ChatwootClient, answer_list, answer_object, sorted_error
from smarteros.channels.chatwoot.desk import labels_of, teams_of
from smarteros.channels.chatwoot.registration import bot_of_inbox, own_bots, own_webhooks
from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.channels.wild import Wild
from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError, SmosError, TransientError
from smarteros.domain.messages import Desk
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore
from smarteros.tenants.enrolment import webhook_end, webhook_path

WITHIN_S = 10.0
# The first with a signature on a bot's webhooks, and the first that we recommend (README, "With a real Chatwoot").
SIGNS_SINCE, RECOMMENDED = (4, 13, 0), (4, 14, 2)
# An event nobody acts on; every look sends the same one, so that it is stored once.
PROBE_EVENT = "smarteros_doctor"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)


class ChatwootExamination:
    """Looks at the Chatwoots of the tenants. ``own_url`` is where this installation is reached, if that is known.

    ``desks`` are how hand-overs are to be found there.
    """

    def __init__(
        self,
        http: HttpClient,
        secrets: SecretStore,
        clock: Clock,
        own_url: str | None,
        desks: Sequence[Desk] = (),
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._clock = clock
        self._own_url = own_url
        self._teams = sorted({desk.team.lower() for desk in desks if desk.team is not None})
        self._labels = sorted({label for desk in desks for label in desk.labels})

    def group(self) -> Group[Tenant]:
        """Return the steps; each rests on those before it."""
        again = "Run `smos tenant add` for the tenant again: it registers what is missing and takes over the secrets."
        return Group(
            "chatwoot",
            lambda _tenant: True,
            (
                Step("address", self._address, "Set chatwoot_url to the address of a Chatwoot from 4.13 on.", True),
                Step(
                    "user_token",
                    self._user_token,
                    "Store an administrator's access token (his profile in Chatwoot) as secret chatwoot/user_token.",
                    of_credentials=True,
                ),
                Step("bot", self._bot, again),
                Step("account_webhook", self._account_webhook, again),
                Step("inboxes", self._inboxes, again),
                Step("desk", self._desk, "Make them in Chatwoot (Settings, Teams and Labels), or change hand_over."),
                Step(
                    "webhook",
                    self._webhook,
                    "Start `smos serve`, and set SMOS_PUBLIC_URL to where Chatwoot reaches it.",
                ),
            ),
        )

    def _address(self, tenant: Tenant) -> Observed:
        try:
            answer = self._http.json("GET", f"{tenant.chatwoot_url}/api", timeout_s=WITHIN_S)
        except HttpFault as fault:
            raise sorted_error(fault) from fault
        found = _VERSION.match(answer_object(answer).text("version") or "")
        if found is None:
            raise ConfigError("chatwoot_url_wrong", f"{tenant.chatwoot_url} does not tell a version of Chatwoot.")
        version = tuple(int(part) for part in found.groups())
        if version < SIGNS_SINCE:
            return Observed(f"Chatwoot {found[0]} does not sign the webhooks of bots", warning=True)
        if version < RECOMMENDED:
            return Observed(f"Chatwoot {found[0]}; 4.14.2 or later is recommended", warning=True)
        return Observed(f"Chatwoot {found[0]} at {tenant.chatwoot_url}")

    def _user_token(self, tenant: Tenant) -> Observed:
        headers = {"api_access_token": self._secrets.read(tenant.scope, "chatwoot/user_token")}
        try:
            answer = self._http.json(
                "GET", f"{tenant.chatwoot_url}/api/v1/profile", headers=headers, timeout_s=WITHIN_S
            )
        except HttpFault as fault:
            raise sorted_error(fault) from fault
        person = answer_object(answer)
        roles = {account.number("id"): account.text("role") for account in person.children("accounts", most=1000)}
        for account_id in tenant.chatwoot_account_ids:
            if roles.get(account_id) != "administrator":
                raise ConfigError(
                    "chatwoot_not_administrator", f"The token's user is no administrator of account {account_id}."
                )
        accounts = ", ".join(str(account_id) for account_id in tenant.chatwoot_account_ids)
        return Observed(f"the token's user administers account {accounts}")

    def _bot(self, tenant: Tenant) -> Observed:
        if tenant.inboxes and all(inbox.starts == "open" for inbox in tenant.inboxes):
            return Observed("no inbox uses a bot: all of them start open")
        held = {path: self._secrets.find(tenant.scope, f"chatwoot/{path}") for path in ("api_token", "hmac_secret")}
        numbers: list[str] = []
        for client in self._clients(tenant):
            bots = own_bots(client, webhook_end(tenant))
            if not bots:
                raise ConfigError("bot_missing", f"No bot of account {client.account_id} sends us its webhooks.")
            self._require_same(held["api_token"], bots[0].text("access_token"), "chatwoot/api_token")
            if bots[0].text("secret"):
                self._require_same(held["hmac_secret"], bots[0].text("secret"), "chatwoot/hmac_secret")
            numbers.append(str(bots[0].number("id")))
        return Observed(f"we are bot {', '.join(numbers)}, with its token and secret")

    def _account_webhook(self, tenant: Tenant) -> Observed:
        if not any(inbox.starts == "open" for inbox in tenant.inboxes):
            return Observed("not needed: every inbox has our bot")
        held = self._secrets.find(tenant.scope, "chatwoot/webhook_secret")
        for client in self._clients(tenant):
            webhooks = own_webhooks(client, webhook_end(tenant))
            if not webhooks:
                raise ConfigError("webhook_missing", f"No webhook of account {client.account_id} comes to us.")
            if webhooks[0].text("secret"):
                self._require_same(held, webhooks[0].text("secret"), "chatwoot/webhook_secret")
        return Observed("the account's webhook comes to us, with its secret")

    def _inboxes(self, tenant: Tenant) -> Observed:
        there: dict[int | None, tuple[ChatwootClient, Wild]] = {}
        for client in self._clients(tenant):
            listed = answer_list(client.ask("GET", "/inboxes"), "payload")
            there |= {inbox.number("id"): (client, inbox) for inbox in listed}
        doubts: list[str] = []
        for own in tenant.inboxes:
            if own.inbox_id not in there:
                raise ConfigError("inbox_missing", f"Chatwoot has no inbox {own.inbox_id} any more.")
            client, inbox = there[own.inbox_id]
            if own.starts == "pending" and not self._is_ours(client, own.inbox_id, tenant):
                raise ConfigError("inbox_not_connected", f"Inbox {own.inbox_id} is not connected to our bot.")
            if inbox.flag("greeting_enabled"):
                doubts.append(f"inbox {own.inbox_id} greets by itself: switch it off, or two bots talk")
        if not tenant.inboxes:
            raise ConfigError("inbox_missing", "The tenant has no inbox.")
        return Observed("; ".join(doubts) or f"{len(tenant.inboxes)} inboxes are ours", warning=bool(doubts))

    def _desk(self, tenant: Tenant) -> Observed:
        """What is missing is left out of a hand-over; nobody is lost for it."""
        missing: list[str] = []
        for client in self._clients(tenant):
            try:
                teams, labels = teams_of(client), labels_of(client)
            except HttpFault as fault:
                raise sorted_error(fault) from fault
            missing += [
                f"account {client.account_id} has no team {name!r}" for name in self._teams if name not in teams
            ]
            missing += [
                f"account {client.account_id} has no label {name!r}" for name in self._labels if name not in labels
            ]
        if missing:
            return Observed("; ".join(missing), warning=True)
        return Observed(f"{len(self._teams)} teams and {len(self._labels)} labels of hand-overs are there")

    def _webhook(self, tenant: Tenant) -> Observed:
        """Send ourselves a signed webhook, the way Chatwoot does."""
        if self._own_url is None:
            return Observed(
                "SMOS_PUBLIC_URL is not set, so no webhook was sent to see whether it arrives", warning=True
            )
        if not tenant.active:
            return Observed("the tenant is suspended: its webhooks are refused", warning=True)
        path = "chatwoot/hmac_secret"
        secret = self._secrets.find(tenant.scope, path) or self._secrets.read(tenant.scope, "chatwoot/webhook_secret")
        account_id = tenant.chatwoot_account_ids[0]
        probe = json.dumps({"event": PROBE_EVENT, "account": {"id": account_id}}).encode()
        stamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "X-Chatwoot-Timestamp": str(stamp),
            "X-Chatwoot-Signature": sign_v1(probe, secret, stamp),
        }
        url = self._own_url + webhook_path(tenant.tenant_key)
        try:
            self._http.request("POST", url, headers=headers, content=probe, timeout_s=WITHIN_S)
        except HttpFault as fault:
            raise _refusal(fault) from fault
        return Observed(f"a webhook signed with the bot's secret is accepted at {self._own_url}")

    def _is_ours(self, client: ChatwootClient, inbox_id: int, tenant: Tenant) -> bool:
        ours = {bot.number("id") for bot in own_bots(client, webhook_end(tenant))}
        return bot_of_inbox(client, inbox_id) in ours

    def _clients(self, tenant: Tenant) -> list[ChatwootClient]:
        token = self._secrets.read(tenant.scope, "chatwoot/user_token")
        return [
            ChatwootClient(self._http, tenant.chatwoot_url, account_id, token)
            for account_id in tenant.chatwoot_account_ids
        ]

    def _require_same(self, held: str | None, there: str | None, path: str) -> None:
        if held is None or not hmac.compare_digest(held.encode(), (there or "").encode()):
            raise ConfigError("secret_differs", f"Secret {path} is not what Chatwoot has.")


def _refusal(fault: HttpFault) -> SmosError:
    said = f"{fault}: {fault.body[:200]}"
    if fault.transient:
        return TransientError("webhook_not_taken", said)
    return ConfigError("webhook_not_taken", said)
