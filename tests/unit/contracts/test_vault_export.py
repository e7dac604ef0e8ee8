"""`smos contract export vault`."""

from __future__ import annotations

import pytest
from tests.vault_server import HATS, SHOES, VaultServer, setup_for
from typer.testing import CliRunner

from smarteros.cli.contract import app
from smarteros.contracts.exporters.vault import vault_setup
from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import ConfigError
from smarteros.settings import default_contracts_dir

CONTRACTS = list(load_contracts(default_contracts_dir()).by_id.values())


def test_the_same_contracts_and_tenants_give_the_same_text_in_any_order() -> None:
    text = vault_setup(CONTRACTS, ["SHOP_B", "SHOP_A"], "secret")
    assert text == vault_setup(CONTRACTS[::-1], ["SHOP_A", "SHOP_B", "SHOP_A"], "secret")


def test_a_policy_opens_the_systems_of_the_contracts_and_no_others() -> None:
    (faq,) = [each for each in CONTRACTS if each.flow_id == "e2e_faq_quick"]
    text = vault_setup([faq], ["SHOP_A"], "kv")
    assert 'path "kv/data/tenant/SHOP_A/chatwoot/*" { capabilities = ["read"] }' in text
    assert "/odoo" not in text
    assert "/shopify" not in text


def test_ids_that_are_one_name_for_vault_are_refused() -> None:
    with pytest.raises(ConfigError) as collide:
        vault_setup(CONTRACTS, ["ACME", "Acme"], "secret")
    assert collide.value.code == "tenant_ids_collide"


@pytest.mark.parametrize("tenant_id", ["acme", "A/*", "ACME' {", "A\nB"])
def test_what_is_no_tenant_id_never_gets_into_a_policy(tenant_id: str) -> None:
    with pytest.raises(ValueError, match="tenant_id"):
        vault_setup(CONTRACTS, [tenant_id], "secret")


def test_the_command_writes_it_for_the_tenants_that_are_named() -> None:
    tenants = ("--tenant", "VAULT_HATS", "--tenant", "VAULT_SHOES")
    done = CliRunner().invoke(app, ["export", "vault", *tenants, "--contracts", str(default_contracts_dir())])
    assert (done.exit_code, done.stdout) == (0, setup_for([SHOES, HATS]))


def test_a_vault_that_is_set_up_can_be_set_up_again(vault: VaultServer) -> None:
    before = vault.ask("LIST", "sys/policies/acl")["data"]["keys"]
    assert "Success" in vault.run(setup_for([SHOES, HATS]))
    assert vault.ask("LIST", "sys/policies/acl")["data"]["keys"] == before
    assert {"smos-tenant.vault_hats", "smos-tenant.vault_shoes", "smos-server", "smos-operator"} <= set(before)
