"""Chatwoot as the proof sees it: the public client API for customers, tokens of people for the shop's side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import httpx2

from smarteros.domain.errors import ConfigError, TransientError
from smarteros.domain.messages import ChannelName
from smarteros.kit.recurring import Recurring
from smarteros.proving.transcript import Entry, Kind, ScriptedTurn, Transcript, sign_of

_MARKER, _ANSWERS = "smos_reply_id", "smos_answers"
_PAGE_AFTER = 100
# Faults hit the proof's own requests too; they are repeated until they pass.
_TRIES = 12
_RETRY_S = 0.15
_OUTGOING = (1, "outgoing")
_INCOMING, _ACTIVITY = 0, 2
_OK, _NO_ANSWER = 200, 500


class Shop:
    """One demo shop: its inboxes, and the tokens of its administrator and of a person who answers."""

    def __init__(self, info: dict[str, Any], chatwoot_url: str, bot_name: str) -> None:
        self.tenant_id = str(info["tenant_id"])
        self.account_id = int(info["account_id"])
        self.bot_name = bot_name
        self._inboxes: dict[str, str] = info["inbox_identifiers"]
        self._administrator = str(info["tokens"]["chatwoot_administrator"])
        person = info["agents"][0]
        self.person_id, self._person = int(person["id"]), str(person["token"])
        self._root = chatwoot_url.rstrip("/")
        self._http = httpx2.Client(
            timeout=20.0, trust_env=False, limits=httpx2.Limits(max_connections=64, max_keepalive_connections=64)
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def begin(self, channel: ChannelName, name: str) -> Place:
        """Begin a conversation as a new customer."""
        contacts = f"{self._root}/public/api/v1/inboxes/{self._inboxes[channel]}/contacts"
        contact = self._send("POST", contacts, json={"name": name, "identifier": name})
        conversations = f"{contacts}/{contact['source_id']}/conversations"
        number = int(self._send("POST", conversations, json={})["id"])
        return Place(self, number, f"{conversations}/{number}/messages")

    def act(self, conversation_id: int, sign: str, text: str) -> None:
        """Do what a person does: ``human_reply``, ``assign``, ``open`` or ``bot_again``."""
        one = f"/conversations/{conversation_id}"
        if sign == "human_reply":
            self._write_once(conversation_id, text)
        elif sign == "assign":
            self._account("POST", f"{one}/assignments", self._person, {"assignee_id": self.person_id})
        elif sign == "open":
            self._account("POST", f"{one}/toggle_status", self._person, {"status": "open"})
        else:
            if self.status(conversation_id) == "pending":  # only what was taken can be seen to be given back
                self._account("POST", f"{one}/toggle_status", self._person, {"status": "open"})
            self._account("POST", f"{one}/assignments", self._person, {"assignee_id": None})
            self._account("POST", f"{one}/toggle_status", self._person, {"status": "pending"})

    def status(self, conversation_id: int) -> str:
        """Read the conversation's status."""
        return str(self._account("GET", f"/conversations/{conversation_id}", self._administrator)["status"])

    def has_reply(self, conversation_id: int, marker: str) -> bool:
        """Tell whether a reply with this marker is there; one look, False when it fails."""
        url = f"{self._url(conversation_id)}/messages"
        with suppress(httpx2.HTTPError, ValueError, KeyError):
            answer = self._http.get(url, headers={"api_access_token": self._administrator}).json()
            return any(_marker(message) == marker for message in answer["payload"])
        return False

    def messages(self, conversation_id: int) -> list[dict[str, Any]]:
        """Read everything, activities and private notes included, by id."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["id"] if found else 0
            answer = self._account(
                "GET", f"/conversations/{conversation_id}/messages?after={after}", self._administrator
            )
            page = cast("list[dict[str, Any]]", answer["payload"])
            found += page
            if len(page) < _PAGE_AFTER:
                return sorted(found, key=lambda message: int(message["id"]))

    def _write_once(self, conversation_id: int, text: str) -> None:
        """A person does not press the button again when the message is there in spite of the error."""
        body = {"content": text, "message_type": "outgoing"}
        for _ in range(_TRIES):
            try:
                self._account("POST", f"/conversations/{conversation_id}/messages", self._person, body, tries=1)
            except TransientError:
                if not any(message.get("content") == text for message in self.messages(conversation_id)):
                    continue
            return
        raise TransientError("chatwoot_away", "a person's message could not be posted")

    def _url(self, conversation_id: int) -> str:
        return f"{self._root}/api/v1/accounts/{self.account_id}/conversations/{conversation_id}"

    def _account(self, method: str, path: str, token: str, body: Any = None, *, tries: int = _TRIES) -> dict[str, Any]:
        url = f"{self._root}/api/v1/accounts/{self.account_id}{path}"
        return self._send(method, url, json=body, headers={"api_access_token": token}, tries=tries)

    def _send(self, method: str, url: str, *, tries: int = _TRIES, **options: Any) -> Any:
        fault = ""
        for at in range(tries):
            try:
                answer = self._http.request(method, url, **options)
            except httpx2.HTTPError as error:
                fault = type(error).__name__
            else:
                if answer.status_code < _NO_ANSWER:
                    if not answer.is_success:
                        raise ConfigError("chatwoot_refused", f"{method} {url}: {answer.status_code} {answer.text}")
                    return answer.json() if answer.content.strip() else None
                fault = f"HTTP {answer.status_code}"
            if at + 1 < tries:
                time.sleep(_RETRY_S)
        raise TransientError("chatwoot_away", f"{method} {url}: {fault}")

    def public(self, method: str, url: str, **options: Any) -> Any:
        """Send a customer's request."""
        return self._send(method, url, **options)


class Place:
    """A conversation as its customer sees it."""

    def __init__(self, shop: Shop, conversation_id: int, url: str) -> None:
        self.shop = shop
        self.conversation_id = conversation_id
        self._url = url

    def write(self, text: str, picture: bytes | None = None) -> int:
        """Send a message; returns its id."""
        if picture is None:
            return int(self.shop.public("POST", self._url, json={"content": text})["id"])
        files = {"attachments[]": ("foto.png", picture, "image/png")}
        return int(self.shop.public("POST", self._url, data={"content": text}, files=files)["id"])

    def replied_after(self, message_id: int) -> bool:
        """Whether anybody has answered since."""
        messages = cast("list[dict[str, Any]]", self.shop.public("GET", self._url))
        return any(m["id"] > message_id and m["message_type"] in _OUTGOING for m in messages)


class Deliveries:
    """Collects when each message came to be and when it had surely reached us, from Chatwoot's delivery log.

    The log's times are real ones, whatever the accounts' clocks say; it is short, so it is read all the time.
    """

    def __init__(self, control_url: str, every_s: float = 0.4) -> None:
        self._url = f"{control_url}/sandbox/webhook-deliveries"
        self._http = httpx2.Client(timeout=10.0, trust_env=False)
        # Two requests may be waited for at the end: what was not read would be judged as lost.
        self._readings = Recurring("deliveries", self._look, every_s=every_s, last_at_stop=True, stop_within_s=30.0)
        self.created: dict[int, float] = {}
        self.arrived: dict[int, float] = {}
        self.under_way = 0

    def start(self) -> None:
        """Begin to read."""
        self._readings.start()

    def stop(self) -> None:
        """Read once more and stop."""
        self._readings.stop()
        self._http.close()

    def _look(self) -> None:
        try:
            log = cast("list[dict[str, Any]]", self._http.get(self._url).json()["deliveries"])
        except (httpx2.HTTPError, ValueError, KeyError):
            return
        now = time.time()
        self.under_way = sum(not entry["done"] for entry in log)
        for entry in log:
            message_id = entry["message_id"]
            if message_id is None or entry["event"] != "message_created":
                continue
            self.created.setdefault(message_id, entry["at"])
            if entry["status"] == _OK:
                self.arrived.setdefault(message_id, now)


def transcript_of(
    place: Place,
    turn_of: dict[int, int],
    turns: Sequence[ScriptedTurn],
    deliveries: Deliveries,
    *,
    acts: Sequence[tuple[str, float]],
    slowed: Sequence[tuple[float, float]],
) -> Transcript:
    """Read a conversation for the judge. ``acts``: what people did there, in order, with the times."""
    shop = place.shop
    rows = shop.messages(place.conversation_id)
    signs = _times_of_signs(rows, acts, shop.bot_name)

    def entry(row: dict[str, Any]) -> Entry:
        number = int(row["id"])
        return Entry(
            id=number,
            kind=_kind(row, shop.bot_name),
            text=str(row.get("content") or ""),
            marker=_marker(row),
            answers=tuple(_object(row, "content_attributes").get(_ANSWERS) or ()),
            turn=turn_of.get(number),
            at=signs.get(number, deliveries.created.get(number)),
            arrived=deliveries.arrived.get(number),
        )

    return Transcript(
        tenant_id=shop.tenant_id,
        conversation_id=place.conversation_id,
        entries=tuple(entry(row) for row in rows),
        turns=tuple(turns),
        slowed=tuple(slowed),
    )


def _times_of_signs(
    rows: Sequence[dict[str, Any]], acts: Sequence[tuple[str, float]], bot_name: str
) -> dict[int, float]:
    """When the activity lines of people's acts came to be; the lines themselves carry the account's clock."""
    times: dict[int, float] = {}
    lines = [(int(row["id"]), _kind(row, bot_name)) for row in rows if row["message_type"] == _ACTIVITY]
    for sign, at in acts:
        wanted = "bot_again" if sign == "bot_again" else "taken"
        found = next((number for number, kind in lines if kind == wanted and number not in times), None)
        if found is not None and sign != "human_reply":
            times[found] = at
    return times


def _kind(row: dict[str, Any], bot_name: str) -> Kind:
    if row["message_type"] == _INCOMING:
        return "customer"
    if row["message_type"] == _ACTIVITY:
        return sign_of(str(row.get("content") or ""), bot_name)
    if row.get("private"):
        return "note"
    is_person = _object(row, "sender").get("type") == "user"
    return "human" if is_person and _marker(row) is None else "bot"


def _marker(row: dict[str, Any]) -> str | None:
    value = _object(row, "content_attributes").get(_MARKER)
    return str(value) if value else None


def _object(row: dict[str, Any], key: str) -> dict[str, Any]:
    return cast("dict[str, Any]", row.get(key) or {})
