"""Canary secrets: whatever a store does, and however it fails, nothing it says, logs, asks for or leaves has one."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from tests.conformance.test_secret_stores import Place, place
from tests.support import serving
from tests.vault_server import HATS, SHOES, RecordingHttp, Time, VaultServer

from smarteros.contracts.exporters.vault import OPERATOR, READERS, policy_of
from smarteros.domain.errors import SmosError
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient
from smarteros.observability.metrics import exposition
from smarteros.secrets.stored import StoredSecret
from smarteros.secrets.vault.api import VaultApi

__all__ = ["place"]
HMAC, TOKEN = "chatwoot/hmac_secret", "shopify/admin_token"
HOUR = timedelta(hours=1)
# Not written anywhere: a traceback shows the lines of the test as well.
CANARY, NEW_CANARY = (secrets.token_hex(8) for _ in range(2))


class Heard:
    """Everything that was said while a test ran."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def fails(self, ask: Callable[[], object]) -> str:
        """Ask for what must fail; keeps how a log would show the error, with all its causes. Returns its code."""
        with pytest.raises(SmosError) as failed:
            ask()
        error = failed.value
        self.texts += [*traceback.format_exception(error), repr(error), error.public_message]
        return error.code

    def has_none_of(self, *canaries: str) -> bool:
        said = "\n".join(self.texts)
        assert said
        return not [canary for canary in canaries if canary in said]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Heard:
    caplog.set_level(logging.DEBUG)
    return Heard()


def test_a_store_that_is_used_and_misused_tells_no_value(
    place: Place, heard: Heard, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    store = place.opened()
    for path in SECRET_PATHS:
        store.write(SHOES, path, CANARY)
    store.rotate(SHOES, HMAC, NEW_CANARY, HOUR)
    codes = [
        heard.fails(lambda: store.rotate(SHOES, HMAC, NEW_CANARY, HOUR)),
        heard.fails(lambda: store.rotate(HATS, HMAC, CANARY, HOUR)),
        heard.fails(lambda: store.write(SHOES, "shopify/none\nx", CANARY)),
        heard.fails(lambda: store.read(HATS, TOKEN)),
    ]
    assert codes == ["secret_unchanged", "secret_missing", "secret_path_unknown", "secret_missing"]
    heard.texts += [repr(store), repr(vars(store)), repr(store.entries(SHOES)), caplog.text, exposition()[0].decode()]
    for file in tmp_path.rglob("*"):
        heard.texts.append(file.read_bytes().decode("latin-1"))

    assert heard.has_none_of(CANARY, NEW_CANARY)


def test_a_secret_that_is_printed_or_does_not_fit_shows_nothing() -> None:
    secret = StoredSecret(value=CANARY, previous=CANARY)
    assert CANARY not in f"{secret!r}{secret}"
    with pytest.raises(ValueError, match="StoredSecret") as failed:
        StoredSecret.model_validate({"value": [CANARY], "previous": {CANARY: 1}})
    assert CANARY not in str(failed.value)


def test_a_vault_that_refuses_is_away_or_answers_nonsense_makes_no_token_or_secret_known(
    vault: VaultServer, heard: Heard, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    vault.empty()
    vault.put("VAULT_SHOES/shopify/admin_token", value=CANARY)
    vault.put("VAULT_SHOES/shopify/store_domain", value=[CANARY])
    time, http, credentials = Time(), RecordingHttp(ca_file=vault.ca_file), vault.credentials(OPERATOR)
    request.addfinalizer(http.close)
    store = vault.store(http, credentials, time)
    stranger = vault.store(http, (credentials[0], NEW_CANARY), time)
    assert store.read(SHOES, TOKEN) == CANARY
    store.write(SHOES, HMAC, NEW_CANARY)
    policy = f"sys/policies/acl/{policy_of('VAULT_SHOES', READERS)}"
    rules = vault.ask("GET", policy)["data"]["policy"]
    with structlog.testing.capture_logs() as logs:
        codes = [
            heard.fails(lambda: stranger.read(SHOES, TOKEN)),
            heard.fails(lambda: store.read(SHOES, "shopify/store_domain")),
            heard.fails(lambda: store.read(TenantScope(tenant_id="VAULT_SOCKS"), TOKEN)),
        ]
        vault.ask("DELETE", policy)
        time.passed += HOUR
        codes.append(heard.fails(lambda: store.read(SHOES, TOKEN)))
        vault.ask("POST", policy, {"policy": rules})
        time.passed += HOUR
        with vault.away():
            codes.append(heard.fails(lambda: store.read(SHOES, TOKEN)))
    assert codes == ["vault_login_refused", "secret_malformed", "vault_refused", "vault_refused", "vault_unavailable"]
    assert logs
    heard.texts += [repr(logs), caplog.text, repr(vars(store)), repr(vars(store._tokens)), *http.asked]

    tokens = {header for header in http.tokens if header}
    assert len(tokens) >= 4
    assert heard.has_none_of(CANARY, NEW_CANARY, credentials[1], *tokens)


def test_what_stands_in_vaults_place_and_sends_us_elsewhere_gets_no_token_there(heard: Heard) -> None:
    visited: list[str] = []

    async def elsewhere(request: Request) -> RedirectResponse:
        visited.append(request.url.path)
        return RedirectResponse("/elsewhere", 307)

    app = Starlette(routes=[Route("/{path:path}", elsewhere)])
    http = HttpClient()
    with serving(app) as url:
        api = VaultApi(http, url, "secret")
        assert heard.fails(lambda: api.read(CANARY, "tenant/VAULT_SHOES/shopify/admin_token")) == "vault_refused"
    http.close()

    assert visited == ["/v1/secret/data/tenant/VAULT_SHOES/shopify/admin_token"]
    assert heard.has_none_of(CANARY)
