"""Tenant tokens as the command issues them and the doors read them."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from smarteros.cli.token import app
from smarteros.domain.errors import ConfigError, RejectedInputError
from smarteros.domain.tenants import TenantScope
from smarteros.edge.tokens import READ, WRITE, TenantTokens
from smarteros.kit.clock import SystemClock

SCOPE = TenantScope(tenant_id="TOKEN_SHOP")


@pytest.fixture
def tokens() -> TenantTokens:
    return TenantTokens(b"k" * 32, SystemClock())


@pytest.fixture
def runner(tokens: TenantTokens, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    def tenant_of(tenant_id: str) -> SimpleNamespace:
        return SimpleNamespace(scope=TenantScope(tenant_id=tenant_id), active=tenant_id != "SUSPENDED_SHOP")

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(tokens=tokens, tenants=SimpleNamespace(get=tenant_of))

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    return CliRunner()


def test_a_token_says_whose_it_is_and_what_it_allows(tokens: TenantTokens) -> None:
    grant = tokens.grant_of(tokens.issue(SCOPE, (READ, WRITE)))

    assert (grant.tenant, grant.scopes) == (SCOPE, {READ, WRITE})


def test_a_token_without_further_wishes_may_read(tokens: TenantTokens) -> None:
    assert tokens.grant_of(tokens.issue(SCOPE)).scopes == {READ}


def test_the_token_of_another_installation_is_refused(tokens: TenantTokens) -> None:
    foreign = TenantTokens(b"x" * 32, SystemClock()).issue(SCOPE)

    with pytest.raises(RejectedInputError, match="not ours"):
        tokens.grant_of(foreign)


def test_the_command_prints_a_token_and_nothing_else(runner: CliRunner, tokens: TenantTokens) -> None:
    result = runner.invoke(app, ["issue", "--tenant", SCOPE.tenant_id])

    assert tokens.grant_of(result.stdout.strip()).tenant == SCOPE


def test_the_command_tells_as_json_until_when_it_holds(runner: CliRunner, tokens: TenantTokens) -> None:
    wanted = ["--scope", READ, "--scope", WRITE, "--ttl", "90s", "--json"]
    told = json.loads(runner.invoke(app, ["issue", "--tenant", SCOPE.tenant_id, *wanted]).stdout)

    assert (told["tenant_id"], told["scope"]) == (SCOPE.tenant_id, f"{READ} {WRITE}")
    assert datetime.fromisoformat(told["expires_at"]) <= datetime.now(UTC) + timedelta(seconds=90)
    assert tokens.grant_of(told["token"]).scopes == {READ, WRITE}


@pytest.mark.parametrize("ttl", ["", "10", "m", "0s", "-5m", "25h", "1w", "1.5h", "²h", "9999999999s"])
def test_a_life_that_cannot_be_meant_is_refused(runner: CliRunner, ttl: str) -> None:
    result = runner.invoke(app, ["issue", "--tenant", SCOPE.tenant_id, "--ttl", ttl])

    assert (result.exit_code, "--ttl" in result.stderr) == (2, True)


@pytest.mark.parametrize("scope", ["admin", "tools:*", " "])
def test_a_scope_there_is_not_is_refused(runner: CliRunner, scope: str) -> None:
    result = runner.invoke(app, ["issue", "--tenant", SCOPE.tenant_id, "--scope", scope])

    assert (result.exit_code, "--scope" in result.stderr) == (2, True)


def test_a_suspended_tenant_gets_no_token(runner: CliRunner) -> None:
    result = runner.invoke(app, ["issue", "--tenant", "SUSPENDED_SHOP"])

    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "tenant_suspended"
