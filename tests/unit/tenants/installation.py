"""An installation whose commands are run in this process, beside stand-ins of the outside systems."""

from __future__ import annotations

import itertools
import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from tests.support import serving
from tests.unit.sandbox.chatwoot_stand import small_shop
from typer.testing import CliRunner, Result

from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel
from smarteros.cli.main import app
from smarteros.contracts.loader import ContractSet, load_contracts
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys
from smarteros.settings import Settings, default_contracts_dir
from smarteros.store.database import Database
from smarteros.store.documents import PostgresDocumentStore
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros_sandbox.chatwoot.http.app import create_chatwoot_app
from smarteros_sandbox.chatwoot.installation import Installation as StandIn
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo import create_odoo_app
from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shops.loader import load_shops

ACCOUNTS = 40
PUBLIC_URL = "https://bots.example.cl"
SHOP = load_shops(date(2025, 11, 17))[0]
CONTRACTS = load_contracts(default_contracts_dir())
_accounts = itertools.count(1)


@dataclass(frozen=True)
class Outside:
    """The stand-ins, on loopback. Every test takes a Chatwoot account no other test uses."""

    chatwoot: StandIn
    chatwoot_url: str
    shopify_url: str
    odoo_url: str

    def bots(self, account_id: int) -> list[Any]:
        return [bot for bot in self.chatwoot.store.agent_bots if bot.account_id == account_id]

    def inboxes(self, account_id: int) -> list[Any]:
        return [inbox for inbox in self.chatwoot.store.inboxes if inbox.account_id == account_id]


@contextmanager
def stand_ins(folder: Path) -> Iterator[Outside]:
    chatwoot = StandIn([small_shop(number) for number in range(1, ACCOUNTS + 1)], Faults(), folder)
    with ExitStack() as stack:
        urls = [
            stack.enter_context(serving(each))
            for each in (
                create_chatwoot_app(chatwoot),
                create_shopify_app((SHOP,), Faults()),
                create_odoo_app((SHOP,), Faults(), "19.0"),
            )
        ]
        yield Outside(chatwoot, *urls)


@dataclass
class Installation:
    """What the commands open: tables, secrets and outside systems are real or stand in on the wire."""

    database: Database
    outside: Outside
    data_dir: Path
    http: HttpClient = field(default_factory=HttpClient)
    contracts: ContractSet = CONTRACTS
    operator_token: str = "operator"

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.data_dir, public_url=PUBLIC_URL, contracts_dir=default_contracts_dir())
        self.tenants = TenantDirectory(self.database)
        keys = GivenKeys(Fernet.generate_key().decode())
        self.secrets = EncryptedFileSecretStore(self.data_dir / "secrets.enc", keys)
        self.knowledge: KnowledgeBase = EmbeddedKnowledgeBase(PostgresDocumentStore(self.database))
        self.language_model = PydanticAiModel()
        version = self.settings.shopify_api_version
        self.catalogues = ShopCatalogues.open(self.http, self.secrets, self.database, SystemClock(), version)

    def smos(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=stdin)

    def asked(self, *arguments: str, stdin: str | None = None) -> Any:
        """What a command prints as JSON; it must succeed."""
        done = self.smos(*arguments, "--json", stdin=stdin)
        assert done.exit_code == 0, done.output or done.exception
        return json.loads(done.stdout)

    def application(self, name: str, **changes: Any) -> dict[str, Any]:
        """A shop with an account of its own, and keys that are right."""
        account_id = next(_accounts)
        spec = SHOP.spec
        return {
            "tenant_id": name,
            "name": f"Tienda {name}",
            "rut": "76.192.083-9",
            "chatwoot_url": self.outside.chatwoot_url,
            "account_id": account_id,
            "shopify_url": self.outside.shopify_url,
            "odoo_company_id": spec.odoo_company_id,
            "odoo_database": spec.odoo_database,
            "secrets": {
                "chatwoot": {"user_token": f"AdministratorToken{account_id:06d}"},
                "shopify": {
                    "store_domain": spec.store_domain,
                    "client_id": spec.client_id,
                    "client_secret": spec.client_secret,
                },
                "odoo": {"instance_url": self.outside.odoo_url, "api_key": spec.odoo_api_key},
            },
            **changes,
        }

    def add(self, application: dict[str, Any]) -> Any:
        return self.asked("tenant", "add", "--from", "-", stdin=json.dumps(application))


@contextmanager
def opened(
    database: Database, outside: Outside, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """Let the commands open an installation on a database."""
    installation = Installation(database, outside, data_dir)

    @contextmanager
    def services(_settings: object) -> Generator[Installation]:
        yield installation

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    # What is set where the tests run says nothing of them.
    monkeypatch.setattr("smarteros.cli.doctor.settings_with", lambda _: installation.settings)
    yield installation
    installation.language_model.close()
    installation.http.close()
