"""``smos brain``: choosing a brain, its limits and its key."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.support import MemorySecrets
from typer.testing import CliRunner, Result

from smarteros.agents.llm.memory_ledger import MemoryLlmLedger
from smarteros.agents.llm.protocol import Reservation
from smarteros.cli.brain import app
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import SpendLimit
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import in_santiago

TENANT = Tenant(
    tenant_id="TENANT_BRAIN",
    name="Tienda",
    rut="76123456-0",
    tenant_key="k" * 24,
    chatwoot_url="http://127.0.0.1:1",
    chatwoot_account_ids=(1,),
)


@dataclass
class Installation:
    tenant: Tenant = TENANT
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets({}))
    llm_ledger: MemoryLlmLedger = field(default_factory=MemoryLlmLedger)

    @property
    def tenants(self) -> SimpleNamespace:
        def known(_id: str) -> Tenant:
            return self.tenant

        return SimpleNamespace(get=known, get_to_change=known, save=lambda tenant: setattr(self, "tenant", tenant))

    def smos_brain(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--tenant", "TENANT_BRAIN"], input=stdin)


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    opened = Installation()

    @contextmanager
    def services(_settings: object) -> Generator[Installation]:
        yield opened

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    yield opened


HOSTED = ("set", "--provider", "anthropic", "--model", "claude-haiku-4-5")


def test_a_model_is_set_with_its_key_and_taken_away_again(installation: Installation):
    told = installation.smos_brain(*HOSTED, "--monthly-usd-cents", "500", "--key-from-stdin", stdin="sk-1234\n")
    assert told.exit_code == 0
    assert installation.tenant.llm is not None
    assert installation.tenant.llm.limit == SpendLimit(micro_usd=5_000_000)
    assert installation.secrets.find(TENANT.scope, "llm/api_key") == "sk-1234"
    assert "sk-1234" not in told.output + installation.tenant.model_dump_json()
    assert installation.smos_brain("native").exit_code == 0
    assert installation.tenant.llm is None


def test_a_limit_in_pesos_is_counted_by_the_operators_rate(installation: Installation):
    installation.smos_brain(*HOSTED, "--monthly-clp", "9500", "--clp-per-usd", "950")
    assert installation.tenant.llm is not None
    assert installation.tenant.llm.limit.micro_usd == 10_000_000


@pytest.mark.parametrize("options", [(), ("--monthly-clp", "9500"), ("--monthly-tokens", "9", "--base-url", "ftp://x")])
def test_settings_without_a_limit_or_with_a_wrong_one_are_refused(installation: Installation, options: tuple[str, ...]):
    refused = installation.smos_brain(*HOSTED, *options)
    assert isinstance(refused.exception, ConfigError)
    assert installation.tenant.llm is None


def test_the_month_and_the_limits_are_shown_and_no_key(installation: Installation):
    installation.smos_brain(*HOSTED, "--monthly-tokens", "100000", "--key-from-stdin", stdin="sk-1234")
    month = in_santiago(datetime.now(UTC)).strftime("%Y-%m")
    installation.llm_ledger.reserve(TENANT.scope, Reservation(month, 1_250_000, 4_200), SpendLimit())
    shown = installation.smos_brain("show").output
    for words in ("claude-haiku-4-5", "key: set", "100000 tokens", "4200 tokens", "1.2500 USD"):
        assert words in shown
    assert "sk-1234" not in shown


def test_a_shop_without_a_model_says_so(installation: Installation):
    assert "embedded brain" in installation.smos_brain("show").output


def test_a_shops_own_bot_takes_the_place_of_a_model_and_is_taken_away_again(installation: Installation):
    installation.smos_brain(*HOSTED, "--monthly-tokens", "100000")
    v12 = ("botpress", "--dialect", "v12", "--bot", "tienda", "--url", "https://bots.example.cl")
    told = installation.smos_brain(*v12, "--key-from-stdin", stdin="bearer-1234\n")
    assert told.exit_code == 0
    assert installation.tenant.botpress is not None
    assert (installation.tenant.botpress.url, installation.tenant.llm) == ("https://bots.example.cl", None)
    assert installation.secrets.find(TENANT.scope, "botpress/bot_key") == "bearer-1234"
    shown = installation.smos_brain("show").output
    for words in ("v12:tienda", "https://bots.example.cl", "key: set"):
        assert words in shown
    assert "bearer-1234" not in told.output + shown + installation.tenant.model_dump_json()
    assert installation.smos_brain("native").exit_code == 0
    assert installation.tenant.botpress is None


@pytest.mark.parametrize(
    "options", [("--dialect", "v12", "--bot", "tienda"), ("--dialect", "cloud", "--bot", "a/b")], ids=str
)
def test_a_bot_that_cannot_be_reached_by_its_settings_is_refused(installation: Installation, options: tuple[str, ...]):
    assert isinstance(installation.smos_brain("botpress", *options).exception, ConfigError)
    assert installation.tenant.botpress is None
