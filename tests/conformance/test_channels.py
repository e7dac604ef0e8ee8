"""What every Channel must do, whatever stands behind it.

Each implementation brings a ``Bench``: the channel, and a way to see and disturb the other side.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.support import MemorySecrets

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.protocol import Channel
from smarteros.domain.errors import ConfigError, PermanentError, TransientError
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.kit.http import HttpClient

ACCOUNT, CONVERSATION = 31, 208
BOT_TOKEN, USER_TOKEN = "bot-token", "user-token"


class SmallChatwoot:
    """One conversation of a Chatwoot, with faults on demand.

    ``faults`` are taken one per POST of a message: ``save`` then ``status`` (0: cut the connection).
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = "pending"
        self.assignee_type: str | None = "AgentBot"
        self.faults: list[dict[str, Any]] = []
        self.read_faults: list[int] = []
        self.labels: list[str] = []
        self.team: int | None = None
        self.priority: str | None = None
        self.refused_marks: dict[str, int] = {}
        self.requests: list[tuple[str, str]] = []
        self.last_first_id = 1000
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path))
                self.close_connection = True
                status, answer = outer.answer(
                    self.command, self.path, self.headers["api_access_token"], json.loads(body or b"null")
                )
                if status == 0:
                    return
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _serve

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        base = f"/api/v1/accounts/{ACCOUNT}/conversations/"
        if token not in (BOT_TOKEN, USER_TOKEN):
            return 401, {"error": "Invalid Access Token"}
        if path == f"/api/v1/accounts/{ACCOUNT}/teams" and token == USER_TOKEN:
            return 200, [{"id": 5, "name": "postventa"}]
        if not path.startswith(f"{base}{CONVERSATION}"):
            return 404, {"error": "Resource could not be found"}
        rest, _, query = path.removeprefix(f"{base}{CONVERSATION}").partition("?")
        if method == "GET" and self.read_faults:
            return self.read_faults.pop(0), {"error": "fault"}
        if (method, rest) == ("GET", ""):
            return 200, self._conversation()
        if (method, rest) == ("GET", "/messages"):
            return self._list(token, query)
        if (method, rest) == ("POST", "/messages"):
            return self._create(body)
        if (method, rest) == ("POST", "/toggle_status"):
            self.status = body["status"]
            return 200, {"meta": {}, "payload": {"success": None, "current_status": self.status}}
        return self._marks(method, rest, body)

    def _marks(self, method: str, rest: str, body: Any) -> tuple[int, Any]:
        if rest in self.refused_marks:
            return self.refused_marks[rest], {"error": "fault"}
        match method, rest:
            case "GET", "/labels":
                return 200, {"payload": self.labels}
            case "POST", "/labels":
                self.labels = body["labels"]
                return 200, {"payload": self.labels}
            case "POST", "/assignments":
                self.team = body["team_id"]
                return 200, {"id": self.team, "name": "postventa"}
            case "POST", "/toggle_priority":
                self.priority = body["priority"]
                return 200, None
            case _:
                return 404, {"error": "Resource could not be found"}

    def say(self, text: str, *, message_type: int = 0, **more: Any) -> int:
        message_id = self.last_first_id + len(self.messages)
        message = {"id": message_id, "content": text, "message_type": message_type, "content_attributes": {}, **more}
        self.messages.append(message)
        return message_id

    def _conversation(self) -> dict[str, Any]:
        public = [message for message in self.messages if not message.get("private")]
        meta = {"assignee_type": self.assignee_type, "assignee": {"id": 1}}
        return {"id": CONVERSATION, "status": self.status, "can_reply": True, "meta": meta, "messages": public[-1:]}

    def _list(self, token: str, query: str) -> tuple[int, Any]:
        if token != USER_TOKEN:
            return 401, {"error": "Access to this endpoint is not authorized for bots"}
        before = int(query.removeprefix("before=") or 10**9)
        return 200, {"meta": {}, "payload": [m for m in self.messages if m["id"] < before][-20:]}

    def _create(self, body: Any) -> tuple[int, Any]:
        fault = self.faults.pop(0) if self.faults else {"save": True, "status": 200}
        if fault.get("save"):
            fields = {key: body[key] for key in ("content_attributes", "private")}
            message_id = self.say(body["content"], message_type=1, **fields)
            if fault["status"] == 200:
                return 200, fault.get("body", {"id": message_id})
        return fault["status"], {"error": fault.get("error", "fault")}


class Bench:
    """A channel under test with its other side."""

    def __init__(self, chatwoot: SmallChatwoot, http: HttpClient, *, user_token: bool) -> None:
        secrets = {"chatwoot/api_token": BOT_TOKEN, **({"chatwoot/user_token": USER_TOKEN} if user_token else {})}
        self.chatwoot = chatwoot
        self.secrets = MemorySecrets({("TENANT_AROMO", path): value for path, value in secrets.items()})
        self.slept: list[float] = []
        self.channel: Channel = self.new_worker(http)
        self.tenant = Tenant(
            tenant_id="TENANT_AROMO",
            name="Tienda Aromo SpA",
            rut="76123456-0",
            tenant_key="k" * 24,
            chatwoot_url=chatwoot.url,
            chatwoot_account_ids=(ACCOUNT,),
            inboxes=(InboxSettings(inbox_id=52, channel="whatsapp"),),
        )

    def new_worker(self, http: HttpClient) -> Channel:
        return ChatwootChannel(http, self.secrets, sleep=self.slept.append)

    def marked(self, reply: OutgoingReply) -> list[dict[str, Any]]:
        return [m for m in self.chatwoot.messages if m["content_attributes"].get("smos_reply_id") == reply.reply_id]


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(default_timeout_s=5)
    yield client
    client.close()


@pytest.fixture
def chatwoot() -> Iterator[SmallChatwoot]:
    server = SmallChatwoot()
    yield server
    server.close()


@pytest.fixture(params=[True, False], ids=["chatwoot-with-user-token", "chatwoot-with-bot-token-only"])
def bench(request: pytest.FixtureRequest, chatwoot: SmallChatwoot, http: HttpClient) -> Bench:
    return Bench(chatwoot, http, user_token=request.param)


def a_reply(text: str = "Nos quedan 3 en talla M.", **changes: Any) -> OutgoingReply:
    fields = {"reply_id": "r" * 26, "conversation_id": CONVERSATION, "account_id": ACCOUNT, "text": text, **changes}
    return OutgoingReply(**fields)


def test_a_reply_is_posted_with_its_marker_in_one_request(bench: Bench) -> None:
    posted = bench.channel.post(bench.tenant, a_reply())
    (message,) = bench.marked(a_reply())
    assert (posted.message_id, posted.already_there) == (message["id"], False)
    assert message["content"] == "Nos quedan 3 en talla M."
    assert message["content_attributes"] == {"smos_reply_id": "r" * 26}
    assert len(bench.chatwoot.requests) == 1


def test_a_reply_names_the_messages_it_answers(bench: Bench) -> None:
    bench.channel.post(bench.tenant, a_reply(answers=(7, 9)))
    (message,) = bench.marked(a_reply())
    assert message["content_attributes"] == {"smos_reply_id": "r" * 26, "smos_answers": [7, 9]}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
def test_a_reply_saved_before_the_server_failed_is_there_exactly_once(bench: Bench, status: int) -> None:
    bench.chatwoot.faults = [{"save": True, "status": status}]
    posted = bench.channel.post(bench.tenant, a_reply())
    assert posted.already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_success_that_cannot_be_read_is_looked_up_not_repeated(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": True, "status": 200, "body": "ok"}]
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


@pytest.mark.parametrize("status", [429, 500, 0])
def test_a_reply_that_was_not_saved_is_posted_again(bench: Bench, status: int) -> None:
    bench.chatwoot.faults = [{"save": False, "status": status}] * 2
    assert not bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1
    assert len(bench.slept) == 2


def test_three_attempts_are_enough(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 500}] * 9
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
    assert len(bench.chatwoot.faults) == 6


def test_the_last_attempt_is_looked_up_too(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 500}] * 2 + [{"save": True, "status": 500}]
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


def test_nothing_is_posted_while_the_marker_cannot_be_looked_for(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": True, "status": 500}]
    bench.chatwoot.read_faults = [503]
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
    # Repeating the very same call is safe: the channel knows that the first one was unclear.
    assert bench.channel.post(bench.tenant, a_reply()).already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_new_worker_finds_the_reply_of_a_dead_one(bench: Bench, http: HttpClient) -> None:
    first = bench.channel.post(bench.tenant, a_reply())
    again = bench.new_worker(http).post(bench.tenant, a_reply(), maybe_sent=True)
    assert (again.message_id, again.already_there) == (first.message_id, True)
    assert len(bench.marked(a_reply())) == 1


def test_a_new_worker_posts_what_a_dead_one_only_meant_to(bench: Bench) -> None:
    assert not bench.channel.post(bench.tenant, a_reply(), maybe_sent=True).already_there
    assert len(bench.marked(a_reply())) == 1


def test_a_marker_below_newer_messages_is_found_with_a_user_token(chatwoot: SmallChatwoot, http: HttpClient) -> None:
    bench = Bench(chatwoot, http, user_token=True)
    bench.channel.post(bench.tenant, a_reply())
    for number in range(45):
        chatwoot.say(f"hola {number}")
    assert bench.channel.post(bench.tenant, a_reply(), maybe_sent=True).already_there


def test_another_reply_is_not_taken_for_ours(bench: Bench) -> None:
    bench.channel.post(bench.tenant, a_reply(reply_id="a" * 26))
    assert not bench.channel.post(bench.tenant, a_reply(reply_id="b" * 26), maybe_sent=True).already_there


def test_a_reply_runs_no_liquid_and_fits_the_channel(bench: Bench) -> None:
    text = "Hola {{contact.email}}. " + "Una frase más. " * 400
    bench.channel.post(bench.tenant, a_reply(text))
    content = bench.chatwoot.messages[0]["content"]
    assert "{{" not in content
    assert len(content) <= 4096
    assert content.endswith("frase más.…")


def test_a_conversation_is_read_as_it_is(bench: Bench) -> None:
    last = bench.chatwoot.say("¿Y en verde?")
    state = bench.channel.conversation(bench.tenant, CONVERSATION)
    assert state.model_dump() == {
        "conversation_id": CONVERSATION,
        "status": "pending",
        "assigned_to_human": False,
        "can_reply": True,
        "last_incoming_message_id": last,
        "starts": "pending",
        "answered_by_person": False,
        "updated_at": None,
    }


def test_a_persons_answer_is_seen_although_nothing_else_tells_of_it(bench: Bench) -> None:
    bench.chatwoot.say("¿Y en verde?")
    bench.chatwoot.say("Sí, también", message_type=1, sender={"id": 3, "type": "user"})
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person == "human_reply"

    bench.chatwoot.say("¿Y en rojo?")
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person is None


def test_our_own_answer_is_no_persons(bench: Bench) -> None:
    bench.chatwoot.say("¿Y en verde?")
    bench.channel.post(bench.tenant, a_reply())
    assert bench.channel.conversation(bench.tenant, CONVERSATION).led_by_person is None


def test_an_assigned_person_is_seen(bench: Bench) -> None:
    bench.chatwoot.assignee_type = "User"
    assert bench.channel.conversation(bench.tenant, CONVERSATION).assigned_to_human


def test_handing_over_leaves_a_private_note_and_opens_the_conversation(bench: Bench) -> None:
    bench.channel.hand_over(bench.tenant, CONVERSATION, "Pide un cambio; {{x}}")
    (note,) = bench.chatwoot.messages
    assert note["private"] is True
    assert note["content"] == "Pide un cambio; {\u200b{x}}"
    assert bench.chatwoot.status == "open"


def test_handing_over_twice_changes_nothing(bench: Bench) -> None:
    for _ in range(2):
        bench.channel.hand_over(bench.tenant, CONVERSATION, "Pide un cambio")
    assert len(bench.chatwoot.messages) == 1
    toggles = [path for _, path in bench.chatwoot.requests if path.endswith("toggle_status")]
    assert len(toggles) == 1


CALLS: list[Callable[[Bench], object]] = [
    lambda b: b.channel.conversation(b.tenant, CONVERSATION),
    lambda b: b.channel.post(b.tenant, a_reply()),
    lambda b: b.channel.hand_over(b.tenant, CONVERSATION, "nota"),
]


@pytest.mark.parametrize("call", CALLS)
def test_refused_credentials_are_the_operators_to_solve(bench: Bench, call: Callable[[Bench], object]) -> None:
    bench.secrets.write(bench.tenant.scope, "chatwoot/api_token", "wrong")
    with pytest.raises(ConfigError):
        call(bench)


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_token_fails_closed(bench: Bench, call: Callable[[Bench], object]) -> None:
    bench.secrets.values.clear()
    with pytest.raises(ConfigError):
        call(bench)
    assert not bench.chatwoot.requests


def test_a_conversation_that_is_gone_will_not_come_back(bench: Bench) -> None:
    with pytest.raises(PermanentError):
        bench.channel.conversation(bench.tenant, 999)
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply(conversation_id=999))


def test_an_account_of_somebody_else_is_never_asked(bench: Bench) -> None:
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply(account_id=99))
    assert not bench.chatwoot.requests


def test_a_refused_reply_is_not_repeated(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 422, "error": "Content is too long"}] * 3
    with pytest.raises(PermanentError):
        bench.channel.post(bench.tenant, a_reply())
    assert len(bench.chatwoot.faults) == 2


def test_a_flooded_conversation_is_a_passing_fault(bench: Bench) -> None:
    bench.chatwoot.faults = [{"save": False, "status": 422, "error": "Too many messages"}]
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_a_passing_fault(bench: Bench, status: int) -> None:
    bench.chatwoot.read_faults = [status]
    with pytest.raises(TransientError):
        bench.channel.conversation(bench.tenant, CONVERSATION)


def test_a_dead_server_is_a_passing_fault(bench: Bench) -> None:
    bench.chatwoot.close()
    with pytest.raises(TransientError):
        bench.channel.conversation(bench.tenant, CONVERSATION)
    with pytest.raises(TransientError):
        bench.channel.post(bench.tenant, a_reply())
