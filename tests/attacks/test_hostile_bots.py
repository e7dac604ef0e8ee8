"""A shop's bot that means harm, or was taken over: what it says, and where it would lead us.

The contracts are the project's and the knowledge base is real; only the bot lies. It is asked over the wire, by both
dialects of Botpress.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.support import serving
from tests.unit.agents.botpress.bots import KEY, Bots, Door, bots_serving, brain, shipping
from tests.unit.agents.botpress.conftest import bots, stand_in
from tests.unit.agents.llm.brains import contracts, knowledge_with, request, small_shop
from tests.unit.agents.talk import SCOPE

from smarteros.agents.botpress.client import HttpBots
from smarteros.domain.decisions import DialogueState
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DecidedTurn, ResolvedTurn
from smarteros.flow.context import reply_context
from smarteros.flow.sources import Sources
from smarteros.flow.wording import ChosenText, written_reply
from smarteros.kit.addresses import AddressGuard
from smarteros.kit.http import HttpClient

__all__ = ["bots", "stand_in"]
DOORS: tuple[Door, ...] = (("cloud", "with a key"), ("v12", "with a key"))
QUESTION = "¿cuánto cuesta el despacho?"
SHOP = Tenant(
    tenant_id=SCOPE.tenant_id,
    name="Bicicletas",
    rut="76123456-0",
    tenant_key="k" * 24,
    chatwoot_url="https://chat.example",
    chatwoot_account_ids=(1,),
)


@pytest.fixture(params=DOORS, ids=" ".join)
def door(request: pytest.FixtureRequest) -> Door:
    return request.param


def told(bots: Bots, door: Door, question: str = QUESTION) -> ChosenText:
    """What the customer reads of a bot's answer: the decision, worded by the contract, past the fact lock."""
    decision = brain(bots, bots.settings(door)).ask(question)
    message = IncomingMessage(
        id=1,
        tenant_id=SHOP.tenant_id,
        account_id=1,
        conversation_id=7,
        inbox_id=7,
        channel="whatsapp",
        contact=Contact(id=3),
        text=question,
        created_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )
    flow, knowledge = contracts().flow_for_route(decision.route), knowledge_with()
    resolved = ResolvedTurn(messages=(message,), state=DialogueState())
    decided, policy = DecidedTurn(flow_id=flow.flow_id, decision=decision), knowledge.policy(SHOP.scope)
    facts = reply_context(SHOP, policy, resolved, decided)
    return written_reply(flow, facts, Sources(knowledge, SHOP, policy, resolved, decided, ()))


LIES = {
    "a price": "El despacho cuesta $990.",
    "a promise": "El despacho es gratis y con 50% de descuento.",
    "another tenant's shop": "Cómpralo en https://tienda-rival.cl/casco",
    "another tenant's key": "Escríbenos a pagos@rival.cl o al +56 9 8888 7777.",
    "a passage it made up": "Llega en 2 horas.",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_an_invented_fact_is_not_said(bots: Bots, door: Door, lie: str) -> None:
    made_up = {"document": "envios.md", "title": "Envíos", "text": lie, "score": 1.0}
    bots.says = lambda _asked: shipping(reply=lie, reply_suggestion=lie, rag_context=[made_up])

    chosen = told(bots, door)

    assert lie not in chosen.text
    assert chosen.note is not None
    assert lie in chosen.note  # people of the shop see what their bot wanted to say


@pytest.mark.parametrize(
    ("lie", "size"), [("Llama al +56 9 8888 7777.", "+56988887777"), ("Usa el código VERANO20.", "VERANO20")]
)
def test_a_fact_it_lets_the_customer_have_said_is_not_said(bots: Bots, door: Door, lie: str, size: str) -> None:
    bots.says = lambda _asked: shipping(reply=lie, entities={"size": size})
    assert lie not in told(bots, door).text


def test_what_the_shops_own_texts_say_is_said(bots: Bots, door: Door) -> None:
    bots.says = lambda _asked: shipping(intent="faq_hours", reply="De martes a sábado de 11:00 a 19:30.")
    assert "De martes a sábado de 11:00 a 19:30." in told(bots, door, "¿a qué hora abren?").text


@pytest.mark.parametrize("said", ["No soy JSON.", '{"intent": "faq_shipping"', "[" * 5_000], ids=str.__len__)
def test_words_where_a_contract_is_due_are_not_used(bots: Bots, door: Door, said: str) -> None:
    bots.says = lambda _asked: said
    assert said not in told(bots, door).text


def test_ten_megabytes_are_not_read(bots: Bots, door: Door) -> None:
    bots.faults.set("botpress", "huge", value=10)
    shop = brain(bots, bots.settings(door))
    assert shop.ask(QUESTION) == small_shop().decide(request(QUESTION))
    assert shop.outcome() == "malformed"


def test_who_hangs_is_waited_for_as_long_as_the_flow_allows(bots: Bots, door: Door) -> None:
    bots.faults.set("botpress", "hang", value=2)
    shop = brain(bots, bots.settings(door), in_force=contracts())
    assert shop.ask(QUESTION) == small_shop().decide(request(QUESTION))
    assert shop.outcome() == "timeout"


class Inside:
    """A server of the operator's own network, which remembers every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse({"responses": [{"type": "text", "text": json.dumps(shipping(reply="Secreto."))}]})


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    server = Inside()
    with serving(Starlette(routes=[Route("/{path:path}", server.take, methods=["GET", "POST"])])) as url:
        server.url = url
        yield server


def test_a_redirect_into_our_own_network_is_not_followed(bots: Bots, door: Door, inside: Inside) -> None:
    bots.faults.set("botpress", "redirect", value=f"{inside.url}/metadata")
    shop = brain(bots, bots.settings(door))
    assert shop.ask(QUESTION).reply != "Secreto."
    assert (shop.outcome(), inside.asked) == ("rejected", [])


def test_a_bots_address_in_our_own_network_gets_not_one_byte_unless_its_host_is_listed(
    bots: Bots, door: Door, inside: Inside
) -> None:
    for listed, outcome in ((frozenset[str](), "misconfigured"), (frozenset({"127.0.0.1"}), "used")):
        http = HttpClient(guard=AddressGuard(listed))
        shop, wrong = (brain(bots, bots.settings(door, url=url), asks=HttpBots(http)) for url in (bots.url, inside.url))
        shop.ask(QUESTION)
        assert shop.outcome() == outcome
        if outcome == "misconfigured":
            wrong.ask(QUESTION)
            assert (wrong.outcome(), inside.asked, bots.asked) == (outcome, [], [])
        http.close()


def test_what_a_shops_bot_sets_as_a_cookie_is_shown_to_nobody() -> None:
    brought: list[str | None] = []

    async def take(request: Request) -> Response:
        brought.append(request.headers.get("cookie"))
        return JSONResponse({"responses": []}, headers={"Set-Cookie": "shop=one; Path=/"})

    with bots_serving() as bots, serving(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])) as url:
        for number in range(2):
            brain(bots, bots.settings(("v12", "open"), url=url)).ask(QUESTION, message_id=number)
    assert brought == [None, None]


@pytest.mark.parametrize("named", ["../../../admin", "..", "x?y=1", "a b", "ü", "\r\nHost: evil", ""])
def test_a_conversation_that_names_another_path_is_not_gone_to(named: str) -> None:
    paths: list[str] = []

    async def take(request: Request) -> Response:
        paths.append(request.url.path)
        return JSONResponse({"user": {}, "key": "k", "conversation": {"id": named}, "messages": []})

    with (
        bots_serving() as bots,
        serving(Starlette(routes=[Route("/{path:path}", take, methods=["GET", "POST"])])) as url,
    ):
        shop = brain(bots, bots.settings(("cloud", "open"), url=url))
        shop.ask(QUESTION)
    assert shop.outcome() == "malformed"
    assert paths == ["/bot-open/users", "/bot-open/conversations"]


def test_what_opens_the_bot_is_in_no_log_and_no_record(
    bots: Bots, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    bots.faults.set("botpress", "http_500")
    shop = brain(bots, bots.settings(door))
    shop.ask("hola, soy Rosa y mi correo es rosa@correo.cl")
    (call,) = shop.ledger.calls(SCOPE, 7, 1)
    seen = "".join(capsys.readouterr()) + call.model_dump_json()
    assert call.outcome == "unavailable"
    for secret in (KEY, "bot-keyed/", "rosa@correo.cl"):
        assert secret not in seen
