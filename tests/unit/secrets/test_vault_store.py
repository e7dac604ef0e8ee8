"""Secrets in a real OpenBao: its shapes, its outages, its refusals, and what tokens may."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.vault_server import HATS, SHOES, RecordingHttp, Time, VaultServer, setup_for

from smarteros.contracts.exporters.vault import OPERATOR, READERS, SERVER, policy_of
from smarteros.dedicated.sides import copy_secrets
from smarteros.domain.errors import ConfigError, SmosError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.keys import GivenKeys
from smarteros.secrets.opening import open_secret_store
from smarteros.secrets.vault.api import VaultApi, VaultRefusedError
from smarteros.secrets.vault.store import ASK_AGAIN_AFTER_S, VaultSecretStore
from smarteros.secrets.vault.tokens import VaultTokens
from smarteros.settings import Settings

TOKEN, DOMAIN, HMAC = "shopify/admin_token", "shopify/store_domain", "chatwoot/hmac_secret"
MINUTE = timedelta(minutes=1)


class Run:
    """One process of an installation over the server, with a time of its own."""

    def __init__(self, server: VaultServer, app_role: str = SERVER) -> None:
        server.empty()
        self.server, self.time, self.suspended = server, Time(), set[str]()
        self.http = RecordingHttp(ca_file=server.ca_file)
        self.credentials = server.credentials(app_role)
        self.store = server.store(self.http, self.credentials, self.time, self.suspended.__contains__)

    def pass_time(self, length: timedelta) -> None:
        self.time.passed += length

    def asked(self) -> list[str]:
        """What Vault was asked for since the last look, by the end of its path."""
        asked = [line.split("/v1/")[1] for line in self.http.asked]
        self.http.asked.clear()
        return asked


@pytest.fixture
def run(vault: VaultServer) -> Iterator[Run]:
    opened = Run(vault)
    yield opened
    opened.http.close()


@pytest.fixture
def operator(vault: VaultServer) -> Iterator[Run]:
    opened = Run(vault, OPERATOR)
    yield opened
    opened.http.close()


def code_of(error: pytest.ExceptionInfo[SmosError]) -> str:
    return error.value.code


def test_a_secret_is_read_in_either_shape_and_its_own_place_comes_first(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify", admin_token="shared", store_domain="x.myshopify.com", client_id=4711)
    assert run.store.read(SHOES, TOKEN) == "shared"
    assert run.store.read(SHOES, "shopify/client_id") == "4711"

    run.server.put("VAULT_SHOES/shopify/admin_token", value="own")
    run.pass_time(MINUTE)
    assert run.store.read(SHOES, TOKEN) == "own"
    assert run.store.read(SHOES, DOMAIN) == "x.myshopify.com"


def test_a_change_is_written_where_the_secret_lies_and_leaves_its_neighbours(operator: Run) -> None:
    operator.server.put("VAULT_SHOES/chatwoot", hmac_secret="old", account_id=7)
    operator.store.rotate(SHOES, HMAC, "new", timedelta(hours=1))
    operator.store.write(SHOES, TOKEN, "own")

    kept = operator.server.kept("VAULT_SHOES/chatwoot")
    assert {name: kept[name] for name in ("account_id", "hmac_secret")} == {"account_id": 7, "hmac_secret": "new"}
    assert operator.server.kept("VAULT_SHOES/shopify/admin_token") == {"value": "own"}
    assert operator.store.accepted(SHOES, HMAC) == ("new", "old")


def test_writers_of_one_shared_secret_lose_nothing(operator: Run) -> None:
    operator.server.put("VAULT_SHOES/shopify", admin_token="1", store_domain="1", client_id="1", client_secret="1")
    names = ("admin_token", "store_domain", "client_id", "client_secret")
    with ThreadPoolExecutor(4) as pool:
        for write in [pool.submit(operator.store.write, SHOES, f"shopify/{name}", "2") for name in names]:
            write.result(60)

    assert operator.server.kept("VAULT_SHOES/shopify") == dict.fromkeys(names, "2")


def test_a_deleted_secret_is_gone_and_can_be_written_again(operator: Run) -> None:
    operator.store.write(SHOES, TOKEN, "first")
    operator.server.ask("DELETE", "secret/data/tenant/VAULT_SHOES/shopify/admin_token")
    operator.pass_time(MINUTE)
    assert operator.store.find(SHOES, TOKEN) is None

    operator.store.write(SHOES, TOKEN, "again")
    assert operator.store.read(SHOES, TOKEN) == "again"


def test_what_is_no_text_is_refused_without_being_shown(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value={"canary": ["x"]})
    with pytest.raises(ConfigError) as malformed:
        run.store.read(SHOES, TOKEN)

    assert code_of(malformed) == "secret_malformed"
    assert "canary" not in str(malformed.value)


def test_vault_is_asked_once_a_minute_and_not_for_every_read(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="first")
    assert [run.store.read(SHOES, TOKEN) for _ in range(3)] == ["first"] * 3
    assert run.asked() == [
        "auth/approle/login",
        "auth/token/create/smos-tenant",
        "secret/data/tenant/VAULT_SHOES/shopify/admin_token",
    ]
    run.server.put("VAULT_SHOES/shopify/admin_token", value="second")
    run.pass_time(MINUTE - timedelta(seconds=1))
    assert run.store.read(SHOES, TOKEN) == "first"
    run.pass_time(timedelta(seconds=1))
    assert run.store.read(SHOES, TOKEN) == "second"


def test_that_a_secret_is_absent_is_remembered_as_well(run: Run) -> None:
    assert run.store.find(SHOES, HMAC) is None
    run.asked()
    assert run.store.find(SHOES, HMAC) is None
    assert run.asked() == []


def test_whoever_looks_again_asks_at_most_every_few_seconds(run: Run) -> None:
    run.server.put("VAULT_SHOES/chatwoot/hmac_secret", value="old")
    assert run.store.accepted(SHOES, HMAC) == ("old",)
    run.server.put("VAULT_SHOES/chatwoot/hmac_secret", value="new")

    run.pass_time(timedelta(seconds=1))
    assert run.store.accepted(SHOES, HMAC) == ("old",)
    assert run.store.look_again(SHOES)
    assert run.store.accepted(SHOES, HMAC) == ("new",)
    assert not run.store.look_again(SHOES)
    run.pass_time(timedelta(seconds=ASK_AGAIN_AFTER_S))
    assert run.store.look_again(SHOES)


def test_during_an_outage_what_is_remembered_is_used_for_fifteen_minutes(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    assert run.store.read(SHOES, TOKEN) == "known"
    with run.server.away():
        run.pass_time(15 * MINUTE - timedelta(seconds=1))
        assert run.store.read(SHOES, TOKEN) == "known"
        with pytest.raises(TransientError) as never_read:
            run.store.find(SHOES, DOMAIN)
        run.pass_time(timedelta(seconds=1))
        with pytest.raises(TransientError) as too_old:
            run.store.read(SHOES, TOKEN)
    assert {code_of(never_read), code_of(too_old)} == {"vault_unavailable"}

    run.server.put("VAULT_SHOES/shopify/admin_token", value="after")
    run.pass_time(timedelta(seconds=ASK_AGAIN_AFTER_S))
    assert run.store.read(SHOES, TOKEN) == "after"


def test_health_tells_that_vault_is_sealed(run: Run) -> None:
    assert run.store.answers()
    with run.server.away():
        assert not run.store.answers()
    assert run.store.answers()


def test_looking_again_during_an_outage_throws_nothing_away(run: Run) -> None:
    run.server.put("VAULT_SHOES/chatwoot/hmac_secret", value="known")
    assert run.store.accepted(SHOES, HMAC) == ("known",)
    run.pass_time(timedelta(seconds=10))
    with run.server.away():
        assert run.store.look_again(SHOES)
        assert run.store.accepted(SHOES, HMAC) == ("known",)


def test_an_outage_is_not_asked_about_by_every_read(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    run.store.read(SHOES, TOKEN)
    run.pass_time(MINUTE)
    with run.server.away():
        run.asked()
        for _ in range(5):
            assert run.store.read(SHOES, TOKEN) == "known"
        assert len(run.asked()) == 1
        run.pass_time(timedelta(seconds=ASK_AGAIN_AFTER_S))
        assert run.store.read(SHOES, TOKEN) == "known"
        assert len(run.asked()) == 1


def test_a_vault_nobody_listens_at_is_an_outage(run: Run) -> None:
    api = VaultApi(run.http, "http://127.0.0.1:1", "secret")
    store = VaultSecretStore(api, VaultTokens(api, "role", lambda: "id"), lambda _tenant: False)
    with pytest.raises(TransientError) as away:
        store.read(SHOES, TOKEN)
    assert code_of(away) == "vault_unavailable"


def test_the_own_token_is_renewed_at_two_thirds_of_its_hour_and_tenants_tokens_are_minted_anew(run: Run) -> None:
    run.store.find(SHOES, TOKEN)
    run.asked()
    run.pass_time(39 * MINUTE)
    run.store.find(SHOES, TOKEN)
    assert run.asked()[0] == "auth/token/create/smos-tenant"
    run.pass_time(1 * MINUTE)
    run.store.find(HATS, TOKEN)
    assert run.asked()[:2] == ["auth/token/renew-self", "auth/token/create/smos-tenant"]


def test_a_revoked_token_is_replaced_without_anybody_noticing(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    run.store.read(SHOES, TOKEN)
    revoke_all(run.server)
    run.asked()
    run.pass_time(6 * MINUTE)

    assert run.store.read(SHOES, TOKEN) == "known"
    assert "auth/approle/login" in run.asked()


def revoke_all(server: VaultServer) -> None:
    """Revoke every token that came of an AppRole."""
    server.ask("PUT", "sys/leases/revoke-prefix/auth/approle/login")


def test_a_refusal_ends_what_is_remembered(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    run.store.read(SHOES, TOKEN)
    policy = f"sys/policies/acl/{policy_of('VAULT_SHOES', READERS)}"
    rules = run.server.ask("GET", policy)["data"]["policy"]
    run.server.ask("DELETE", policy)
    try:
        run.pass_time(MINUTE)
        run.asked()
        with pytest.raises(ConfigError) as refused:
            run.store.read(SHOES, TOKEN)
        assert code_of(refused) == "vault_refused"
        assert run.asked().count("auth/approle/login") == 1
        run.pass_time(timedelta(seconds=1))
        with run.server.away(), pytest.raises(TransientError):
            run.store.read(SHOES, TOKEN)
    finally:
        run.server.ask("POST", policy, {"policy": rules})
    run.pass_time(MINUTE)
    assert run.store.read(SHOES, TOKEN) == "known"


def test_of_a_suspended_tenant_nothing_is_remembered(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    run.store.read(SHOES, TOKEN)
    run.suspended.add("VAULT_SHOES")
    run.server.put("VAULT_SHOES/shopify/admin_token", value="taken back")
    assert run.store.read(SHOES, TOKEN) == "taken back"
    with run.server.away(), pytest.raises(TransientError):
        run.store.read(SHOES, TOKEN)


def test_a_servers_role_may_not_write(run: Run) -> None:
    for change in (
        lambda: run.store.write(SHOES, TOKEN, "x"),
        lambda: run.store.rotate(SHOES, TOKEN, "x", MINUTE),
    ):
        with pytest.raises(ConfigError) as refused:
            change()
        assert code_of(refused) == "vault_refused"
    assert run.server.kept("VAULT_SHOES/shopify/admin_token") == {}


@pytest.mark.parametrize(
    "path",
    ["tenant/VAULT_HATS/shopify/admin_token", "tenant/VAULT_SHOES/../VAULT_HATS/shopify/admin_token",
     "tenant/vault_shoes/shopify/admin_token", "tenant/VAULT_SHOES/odoo2/x", "installation/key"],
)  # fmt: skip
def test_a_tenants_token_opens_no_other_place(run: Run, path: str) -> None:
    run.server.put("VAULT_HATS/shopify/admin_token", value="of hats")
    api = VaultApi(run.http, run.server.url, "secret")
    token = VaultTokens(api, run.credentials[0], lambda: run.credentials[1]).of_tenant(SHOES)
    with pytest.raises((VaultRefusedError, ConfigError)):
        api.read(token, path)


def test_the_installations_own_token_reads_nothing_and_mints_nothing_else(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    api = VaultApi(run.http, run.server.url, "secret")
    own = api.login(*run.credentials).token
    with pytest.raises(VaultRefusedError):
        api.read(own, "tenant/VAULT_SHOES/shopify/admin_token")
    with pytest.raises(ConfigError):
        api.mint(own, READERS, "root")
    with pytest.raises(VaultRefusedError):
        api.mint(own, "smos-tenant-writer", "smos-tenant-writer.vault_shoes")


def test_a_tenant_nobody_set_up_is_refused_by_name(run: Run) -> None:
    with pytest.raises(ConfigError) as refused:
        run.store.find(TenantScope(tenant_id="VAULT_SOCKS"), TOKEN)
    assert code_of(refused) == "vault_refused"
    assert "VAULT_SOCKS" in refused.value.operator_message


def opened(settings: Settings) -> Any:
    return open_secret_store(settings, GivenKeys("unused"), lambda _tenant: False, ExitStack())


def settings_for(server: VaultServer, **changes: Any) -> Settings:
    role_id, secret_id = server.credentials(SERVER)
    given = {"vault_addr": server.url, "vault_role_id": role_id, "vault_secret_id": secret_id}
    return Settings(**(given | {"secrets": "vault", "vault_ca_file": server.ca_file} | changes))


def test_a_store_is_opened_by_its_settings(run: Run) -> None:
    run.server.put("VAULT_SHOES/shopify/admin_token", value="known")
    with ExitStack() as stack:
        store = open_secret_store(settings_for(run.server), GivenKeys("unused"), lambda _tenant: False, stack)
        assert store.read(SHOES, TOKEN) == "known"


def test_a_secret_id_in_a_file_is_read_at_every_login(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "secret-id"
    file.write_text("an old one\n")
    settings = settings_for(run.server, vault_secret_id=None, vault_secret_id_file=file)
    with ExitStack() as stack:
        store = open_secret_store(settings, GivenKeys("unused"), lambda _tenant: False, stack)
        with pytest.raises(ConfigError) as refused:
            store.find(SHOES, TOKEN)
        assert code_of(refused) == "vault_login_refused"
        file.write_text(run.credentials[1] + "\n")
        assert store.find(SHOES, TOKEN) is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"vault_addr": None}, "SMOS_VAULT_ADDR"),
        ({"vault_role_id": None}, "SMOS_VAULT_ROLE_ID"),
        ({"vault_secret_id": None}, "SMOS_VAULT_SECRET_ID_FILE"),
        ({"vault_addr": "http://vault.lan:8200"}, "https://"),
        ({"vault_addr": "file:///etc/passwd"}, "https://"),
        ({"vault_ca_file": Path("/nowhere.pem")}, "SMOS_VAULT_CA_FILE"),
    ],
)
def test_what_is_missing_or_unsafe_is_named_at_the_start(changes: dict[str, Any], named: str) -> None:
    given = {"vault_addr": "https://vault.lan:8200", "vault_role_id": "r", "vault_secret_id": "s", "secrets": "vault"}
    with pytest.raises(ConfigError, match=named) as refused:
        opened(Settings(**(given | changes)))
    assert code_of(refused) == "vault_not_configured"


def test_a_shop_that_moves_to_an_engine_of_its_own_is_opened_by_that_ones_role_only(operator: Run) -> None:
    operator.store.write(SHOES, TOKEN, "shop's")
    operator.store.write(SHOES, HMAC, "old")
    operator.store.rotate(SHOES, HMAC, "new", timedelta(hours=1))
    operator.server.run(setup_for([SHOES], "acme"))
    theirs = operator.server.credentials(f"acme-{OPERATOR}")

    def store(credentials: tuple[str, str], mount: str) -> VaultSecretStore:
        return operator.server.store(operator.http, credentials, operator.time, mount=mount)

    own = store(theirs, "acme")
    copied = copy_secrets(operator.store, own, SHOES, operator.time.now())

    assert copied == 2
    assert (own.read(SHOES, TOKEN), own.accepted(SHOES, HMAC)) == ("shop's", ("new", "old"))
    for credentials, mount in ((operator.credentials, "acme"), (theirs, "secret")):
        with pytest.raises(ConfigError) as refused:
            store(credentials, mount).read(SHOES, TOKEN)
        assert code_of(refused) == "vault_refused"
