"""One way for every request: faults, who asks, may he, the parameters, and errors as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smarteros_sandbox.chatwoot.errors import ApiError, not_found, unauthorized
from smarteros_sandbox.chatwoot.http.answers import answer_json
from smarteros_sandbox.chatwoot.http.params import Params, read_params
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.profiles import Profile
from smarteros_sandbox.chatwoot.records import (
    Account,
    AgentBot,
    CannedResponse,
    Contact,
    Conversation,
    Inbox,
    User,
    Webhook,
)
from smarteros_sandbox.chatwoot.store import Table
from smarteros_sandbox.chatwoot.values import as_integer

API_ERROR_BODY = {"status": 500, "error": "Internal Server Error"}
MAX_SLOW_SECONDS = 120.0
OwnedT = TypeVar("OwnedT", AgentBot, CannedResponse, Contact, Inbox, Webhook)


class Access(Enum):
    """Who may call an endpoint (access_token_auth_helper.rb#BOT_ACCESSIBLE_ENDPOINTS and the policies)."""

    BOT = "bots and users"
    BOT_TYPING = "users, and bots since 4.12"
    BOT_READING = "users, and bots since 4.14.2"
    USER = "users"
    ADMINISTRATOR = "administrators"

    def admits_bots(self, profile: Profile) -> bool:
        """Whether a bot's token opens this endpoint."""
        return (
            self is Access.BOT
            or (self is Access.BOT_TYPING and profile.bot_may_toggle_typing)
            or (self is Access.BOT_READING and profile.bot_may_read)
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request to the account API."""

    chatwoot: Installation
    request: Request
    account: Account
    actor: User | AgentBot
    params: Params

    def path_id(self, name: str) -> int:
        """A number in the path; 404 for anything else."""
        return path_id(self.request, name)

    def conversation(self) -> Conversation:
        """The conversation in the path, by its display id."""
        found = self.chatwoot.store.conversation(self.account.id, self.path_id("conversation_id"))
        if found is None:
            raise not_found()
        return found

    def own(self, table: Table[OwnedT], row_id: int | None) -> OwnedT:
        """A row of this account; 404 when there is none, or it is another account's."""
        found = table.get(row_id)
        if found is None or found.account_id != self.account.id:
            raise not_found()
        return found

    def inbox(self, inbox_id: int | None) -> Inbox:
        """An inbox of this account."""
        return self.own(self.chatwoot.store.inboxes, inbox_id)

    def contact(self, contact_id: int | None) -> Contact:
        """A contact of this account."""
        return self.own(self.chatwoot.store.contacts, contact_id)


Endpoint = Callable[[Call], Awaitable[Response]]
RouteSpec = tuple[str, str, Endpoint, Access]


def account_routes(chatwoot: Installation, specs: list[RouteSpec]) -> list[Route]:
    """Routes below ``/api/v1/accounts/{account_id}``, with authorisation and faults around each."""
    return [
        Route(
            f"/api/v1/accounts/{{account_id}}{path}",
            _guarded(chatwoot, endpoint, access),
            methods=[method],
        )
        for method, path, endpoint, access in specs
    ]


def _guarded(chatwoot: Installation, endpoint: Endpoint, access: Access) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        scope = str(request.path_params["account_id"])
        await misbehave(chatwoot, scope)
        actor = authenticate(chatwoot, request, access)
        account = _account(chatwoot, request, actor)
        if access is Access.ADMINISTRATOR and not _is_administrator(actor):
            raise unauthorized("You are not authorized to do this action")
        params = await read_params(request)
        return await endpoint(Call(chatwoot, request, account, actor, params))

    return handle


async def misbehave(chatwoot: Installation, scope: str) -> None:
    """The faults ``slow`` (seconds) and ``api_500``, by account."""
    slow = chatwoot.faults.take("chatwoot", "slow", scope)
    if slow is not None:
        await asyncio.sleep(min(slow.number(1.0), MAX_SLOW_SECONDS))
    if chatwoot.faults.take("chatwoot", "api_500", scope):
        raise ApiError(500, API_ERROR_BODY)


def authenticate(chatwoot: Installation, request: Request, access: Access) -> User | AgentBot:
    """Who the token belongs to; ``api-access-token`` is the same header to Rails."""
    token = request.headers.get("api_access_token") or request.headers.get("api-access-token")
    if not token:
        raise ApiError(401, {"errors": ["You need to sign in or sign up before continuing."]})
    owner = chatwoot.store.token_owner(token)
    if owner is None:
        raise unauthorized("Invalid Access Token")
    if isinstance(owner, AgentBot) and not access.admits_bots(chatwoot.profile):
        raise unauthorized("Access to this endpoint is not authorized for bots")
    return owner


def _account(chatwoot: Installation, request: Request, actor: User | AgentBot) -> Account:
    account = chatwoot.store.accounts.get(path_id(request, "account_id"))
    if account is None:
        raise not_found()
    if actor.account_id != account.id:
        who = "Bot is" if isinstance(actor, AgentBot) else "You are"
        raise unauthorized(f"{who} not authorized to access this account")
    return account


def _is_administrator(actor: User | AgentBot) -> bool:
    return isinstance(actor, User) and actor.role == "administrator"


def path_id(request: Request, name: str) -> int:
    """A number in the path; 404 for anything else."""
    value = as_integer(request.path_params[name])
    if value is None:
        raise not_found()
    return value


def ok(body: Any = None) -> Response:
    """200 with JSON, or with an empty body (``head :ok``)."""
    return Response(status_code=200) if body is None else answer_json(body)
