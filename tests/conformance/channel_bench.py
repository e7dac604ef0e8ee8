"""A small Chatwoot with faults on demand, and the channel over it, as the conformance suite asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.support import MemorySecrets

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.protocol import Channel
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
