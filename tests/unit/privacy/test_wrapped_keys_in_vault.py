"""Contacts' keys where a server may not write secrets: in a real OpenBao."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.privacy.test_contact_rights import ANA, BRUNO, Shop
from tests.unit.privacy.test_wrapped_keys import wrapped_by
from tests.vault_server import SHOES, RecordingHttp, Time, VaultServer

from smarteros.contracts.exporters.vault import OPERATOR, SERVER
from smarteros.doctor.examination import examine
from smarteros.doctor.privacy import PrivacyExamination
from smarteros.domain.errors import ConfigError
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.secrets.vault.store import VaultSecretStore
from smarteros.store.database import Database


class Process:
    """A program of the installation in one of Vault's roles; each begins with nothing remembered."""

    def __init__(self, server: VaultServer, role: str) -> None:
        self.http = RecordingHttp(ca_file=server.ca_file)
        self.secrets: VaultSecretStore = server.store(self.http, server.credentials(role), Time(), lambda _: False)
        self.wrapping = KeyWrapping(self.secrets)


@pytest.fixture
def shop(database: Database) -> Shop:
    shop = Shop(database)
    shop.tenant = shop.tenant.model_copy(update={"tenant_id": SHOES.tenant_id})
    return shop


@pytest.fixture
def programs(vault: VaultServer) -> Iterator[dict[str, Process]]:
    vault.empty()
    opened = {
        name: Process(vault, role)
        for name, role in {"worker": SERVER, "operator": OPERATOR, "worker started later": SERVER}.items()
    }
    yield opened
    for program in opened.values():
        program.http.close()


def test_the_doctor_tells_of_keys_that_no_worker_can_wrap_and_one_command_mends_it(
    shop: Shop, programs: dict[str, Process]
) -> None:
    worker, operator, later = programs.values()

    def said(program: Process) -> tuple[str, str, str | None]:
        (found,) = examine([PrivacyExamination(shop.database, program.secrets).group()], shop.tenant)
        return found.status, found.said, found.remedy

    assert said(worker)[0] == "ok"
    shop.wrapping = worker.wrapping  # it may read and not write, and the shop has no wrapping key
    shop.turn(ANA, 1, 11, "hola")
    shop.turn(BRUNO, 2, 12, "hola")
    with pytest.raises(ConfigError):
        worker.wrapping.rewrap(shop.database, shop.tenant)
    status, words, remedy = said(worker)
    assert (status, words[:2]) == ("warning", "2 ")
    assert "smos contact rewrap" in (remedy or "")

    assert operator.wrapping.rewrap(shop.database, shop.tenant).rewrapped == 2
    assert said(operator)[0] == "ok"
    # From then on workers do it by themselves, what lies open from before included.
    shop.ask("UPDATE smos.contacts SET key = 'open', wrapped_by = NULL WHERE contact = '9:502' RETURNING contact")
    assert said(later)[0] == "warning"
    assert later.wrapping.rewrap(shop.database, shop.tenant).rewrapped == 1
    assert None not in wrapped_by(shop)
