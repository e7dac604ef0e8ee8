"""Addresses that somebody typed into a shop's settings: none of them leads a request of ours where it must not.

That of a language model is tried in ``unit/agents/llm/test_llm_doctor.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.support import MemorySecrets, serving

from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.doctor.addresses import AddressExamination
from smarteros.doctor.examination import examine
from smarteros.doctor.registry import key_groups
from smarteros.domain.errors import ConfigError, RejectedInputError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.addresses import AddressGuard
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.knowledge.upkeep.pages import PageReader
from smarteros.settings import Settings
from smarteros.tools.deadline import Deadline
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.shopify.client import ShopifyClient

NOWHERE_PRIVATE = AddressGuard(frozenset())


class Inside:
    """A server of the operator's own network, which remembers every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse({"secret": "of the network"})


@pytest.fixture(scope="module")
def server() -> Iterator[Inside]:
    inside = Inside()
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    with serving(Starlette(routes=[Route("/{path:path}", inside.take, methods=methods)])) as url:
        inside.url = url
        yield inside


@pytest.fixture
def inside(server: Inside) -> Inside:
    server.asked = []
    return server


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(guard=NOWHERE_PRIVATE)
    yield client
    client.close()


def tenant_at(url: str, **more: Any) -> Tenant:
    return Tenant.model_validate(
        {
            "tenant_id": "TENANT_INSIDE",
            "name": "Tienda",
            "rut": "76123456-0",
            "tenant_key": "k" * 24,
            "chatwoot_url": url,
            "chatwoot_account_ids": (1,),
            "shopify_url": url,
            "odoo_company_id": 1,
            **more,
        }
    )


def secrets_at(url: str) -> MemorySecrets:
    values = {
        "chatwoot/api_token": "t",
        "odoo/instance_url": url,
        "odoo/api_key": "k",
        "shopify/store_domain": "x.myshopify.com",
        "shopify/admin_token": "t",
        "ocr/api_key": "k",
        "llm/api_key": "k",
    }
    return MemorySecrets({("TENANT_INSIDE", path): value for path, value in values.items()})


def ask_chatwoot(http: HttpClient, url: str) -> object:
    channel = ChatwootChannel(http, secrets_at(url), sleep=lambda _s: None)
    return channel.conversation(tenant_at(url), 1)


def ask_odoo(http: HttpClient, url: str) -> object:
    return OdooClient(http, secrets_at(url)).server(tenant_at(url), Deadline.after(5))


def ask_vision(http: HttpClient, url: str) -> object:
    tenant, model = tenant_at(url, ocr_engine="vision"), PydanticAiModel()
    (found, *_) = examine(key_groups(http, secrets_at(url), url, model), tenant)
    assert found.status == "failed"
    raise HttpFault(found.said, status=None, transient=False, sent=False)


@pytest.mark.parametrize("ask", [ask_chatwoot, ask_odoo, ask_vision])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_shops_address_in_our_own_network_gets_not_one_byte(
    http: HttpClient, inside: Inside, ask: Callable[[HttpClient, str], object], name: str
) -> None:
    with pytest.raises((SmosError, HttpFault)):
        ask(http, inside.url.replace("127.0.0.1", name))
    assert inside.asked == []


def test_a_shops_shop_in_our_own_network_gets_not_one_byte(http: HttpClient, inside: Inside) -> None:
    client = ShopifyClient(http, secrets_at(inside.url), sleep=lambda _s: None)
    with pytest.raises(SmosError):
        client.query(tenant_at(inside.url), "query { shop { name } }", {}, cast(Any, None), Deadline.after(5))
    assert inside.asked == []


def test_a_private_host_is_asked_when_the_operator_lists_its_name(inside: Inside) -> None:
    listed = HttpClient(guard=AddressGuard(frozenset({"localhost"})))
    assert listed.json("GET", inside.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(HttpFault) as refused:
        listed.json("GET", inside.url)
    listed.close()
    assert "SMOS_PRIVATE_HOSTS" in str(refused.value)
    assert not refused.value.transient
    assert len(inside.asked) == 1


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254", "nonsense",
     "64:ff9b::a9fe:a9fe", "240.0.0.1"],
)  # fmt: skip
def test_where_clouds_keep_their_keys_is_never_asked(address: str) -> None:
    assert not AddressGuard().admits("odoo.example", address)


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.9", "127.0.0.1", "fd00::5"])
def test_the_operators_own_network_is_asked_until_he_says_which_hosts(address: str) -> None:
    assert AddressGuard().admits("odoo.lan", address)
    assert not NOWHERE_PRIVATE.admits("odoo.lan", address)
    assert AddressGuard(frozenset({"odoo.lan"})).admits("Odoo.LAN.", address)
    assert NOWHERE_PRIVATE.admits("odoo.example", "93.184.215.14")


def addresses(guard: AddressGuard, url: str, at: dict[str, str]) -> tuple[str, str | None]:
    """What the doctor says of a shop's addresses; ``at`` is what their names resolve to."""

    def resolve(host: str, _port: int) -> tuple[str, ...]:
        return (at[host],)

    http = HttpClient(guard=guard)
    (found,) = examine([AddressExamination(http, secrets_at(url), resolve).group()], tenant_at(url))
    http.close()
    return found.status, found.said


def test_the_doctor_names_the_private_hosts_that_are_asked_because_nobody_said_which() -> None:
    at = {"chat.lan": "10.0.0.5", "x.myshopify.com": "23.227.38.32"}

    status, said = addresses(AddressGuard(), "http://chat.lan:3000", at)
    assert (status, said) == (
        "warning",
        "asked although private, for SMOS_PRIVATE_HOSTS is unset: chat.lan (chatwoot_url)",
    )
    assert addresses(NOWHERE_PRIVATE, "http://chat.lan:3000", at)[0] == "ok"
    assert addresses(AddressGuard(), "https://chat.example", {**at, "chat.example": "93.184.215.14"})[0] == "ok"


def test_a_page_of_a_shops_texts_is_never_fetched_from_inside_whatever_the_setting(inside: Inside) -> None:
    anywhere = HttpClient(guard=AddressGuard())
    shop = tenant_at("https://chat.example")
    for url in (inside.url, inside.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(RejectedInputError):
            PageReader(anywhere).read(shop, f"{url}/admin")
    anywhere.close()
    assert inside.asked == []


@pytest.mark.parametrize(
    ("said", "hosts"),
    [
        (None, None), ("", ()), ("[]", ()), ("chat.lan, odoo.lan", ("chat.lan", "odoo.lan")),
        ('["chat.lan", "10.0.0.5"]', ("chat.lan", "10.0.0.5")), ("::1,LOCALHOST", ("::1", "LOCALHOST")),
    ],
)  # fmt: skip
def test_the_setting_tells_nothing_from_none(
    monkeypatch: pytest.MonkeyPatch, said: str | None, hosts: tuple[str, ...] | None
) -> None:
    monkeypatch.delenv("SMOS_PRIVATE_HOSTS", raising=False)
    if said is not None:
        monkeypatch.setenv("SMOS_PRIVATE_HOSTS", said)
    assert Settings().private_hosts == hosts


@pytest.mark.parametrize(
    "said",
    ["http://chat.lan", "chat.lan:3000", "*.lan", "10.0.0.0/8", '["chat.lan"', '["chat.lan", 7]', "['chat.lan']"],
)
def test_a_list_that_would_match_nothing_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("SMOS_PRIVATE_HOSTS", said)
    with pytest.raises(ConfigError, match=r"^SMOS_PRIVATE_HOSTS: "):
        Settings()


def test_a_setting_that_is_amiss_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOS_PORT", "secret-canary")
    with pytest.raises(ConfigError, match="SMOS_PORT") as refused:
        Settings()
    assert "canary" not in refused.value.operator_message
    monkeypatch.setenv("SMOS_PORT", "80")
    monkeypatch.setenv("SMOS_KAFKA_OPTIONS", '{"sasl": {"password": "secret-canary"}}')
    with pytest.raises(ConfigError, match="SMOS_KAFKA_OPTIONS") as refused:
        Settings()
    assert "canary" not in refused.value.operator_message
