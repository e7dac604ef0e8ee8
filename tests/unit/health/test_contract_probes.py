"""What is asked because the contracts say so: reading documents, here or in the cloud."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from smarteros.bootstrap.probes import contract_probes
from smarteros.contracts.loader import load_contracts
from smarteros.documents.local import DocumentWorker
from smarteros.domain.tenants import OcrPolicy, Tenant
from smarteros.health.probing import Probe
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.settings import Settings, default_contracts_dir
from smarteros.store.database import NO_TENANT

NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture
def worker() -> Iterator[DocumentWorker]:
    real = DocumentWorker(processes=1)
    yield real
    real.close()


@pytest.fixture
def ocr_probes(worker: DocumentWorker) -> Iterator[Callable[..., list[Probe]]]:
    http = HttpClient()

    def asked(policy: OcrPolicy = "local", *, worker: DocumentWorker = worker) -> list[Probe]:
        tenant = Tenant(
            tenant_id="PROBED_SHOP",
            name="Tienda",
            rut="76123456-0",
            tenant_key="k" * 24,
            chatwoot_url=NOBODY_THERE,
            chatwoot_account_ids=(1,),
            ocr_engine=policy,
        )
        services = SimpleNamespace(
            settings=Settings(vision_url=NOBODY_THERE),
            contracts=load_contracts(default_contracts_dir()),
            tenants=SimpleNamespace(all=lambda: (tenant,)),
            secrets=SimpleNamespace(find=lambda *_: None),
            catalogues=SimpleNamespace(client=SimpleNamespace(known_url=lambda _tenant: None)),
            reader=SimpleNamespace(worker=worker),
            http=http,
        )
        found = contract_probes(cast(Any, services), cast(Any, None), "worker")
        return [probe for probe in found if probe.service == "ocr"]

    yield asked
    http.close()


def test_reading_on_this_machine_is_asked_as_often_as_the_contract_says(
    ocr_probes: Callable[..., list[Probe]], worker: DocumentWorker
) -> None:
    (probe,) = ocr_probes()
    assert (probe.tenant_id, probe.every_s) == (NO_TENANT, 60)
    assert probe.is_up()
    assert worker.pid is not None


def test_a_machine_whose_document_processes_die_cannot_read(ocr_probes: Callable[..., list[Probe]]) -> None:
    (probe,) = ocr_probes(worker=DocumentWorker((sys.executable, "-c", "pass")))
    assert not probe.is_up()
    (probe,) = ocr_probes(worker=DocumentWorker(("/no/such/program",)))
    assert not probe.is_up()


def test_a_shop_that_reads_in_the_cloud_alone_cannot_when_the_cloud_is_away(
    ocr_probes: Callable[..., list[Probe]],
) -> None:
    _, cloud = ocr_probes("vision")
    assert (cloud.tenant_id, cloud.is_up()) == ("PROBED_SHOP", False)
    assert len(ocr_probes("vision_then_local")) == 1


class SlowServer:
    """Answers after so many seconds, to whoever waits that long."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s

    def request(self, _method: str, _url: str, *, timeout_s: float) -> None:
        if timeout_s < self.takes_s:
            raise HttpFault("nobody answered in time", status=None, transient=True, sent=True)


@pytest.mark.parametrize(("takes_s", "up"), [(3.0, True), (6.0, False)])
def test_our_edge_may_wait_for_a_shop_that_hangs_but_not_longer_than_chatwoot_waits_for_us(
    takes_s: float, up: bool
) -> None:
    services = SimpleNamespace(
        settings=Settings(public_url="https://bot.example.cl"),
        contracts=load_contracts(default_contracts_dir()),
        tenants=SimpleNamespace(all=tuple),
        reader=SimpleNamespace(worker=SimpleNamespace(answers=lambda: True)),
        http=SlowServer(takes_s),
    )
    found = contract_probes(cast(Any, services), cast(Any, None), "worker")
    (edge,) = (probe for probe in found if probe.service == "edge")
    assert edge.is_up() is up
