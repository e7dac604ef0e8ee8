"""What ``smos doctor`` and ``smos tenant add`` say of a key of Cloud Vision, asked of the stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from tests.support import MemorySecrets, demo_tenant, serving

from smarteros.doctor.examination import Finding, examine
from smarteros.doctor.keys import VisionExamination
from smarteros.kit.http import HttpClient
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.vision import create_vision_app

SHOP = load_shops(date(2025, 11, 17))[0]
TENANT = demo_tenant(SHOP)
Says = Callable[[str, str | None], Finding]


@pytest.fixture(scope="module")
def says() -> Iterator[Says]:
    http = HttpClient()
    with serving(create_vision_app((SHOP,), Faults())) as url:

        def look(engine: str, key: str | None) -> Finding:
            secrets = MemorySecrets({} if key is None else {(TENANT.tenant_id, "ocr/api_key"): key})
            tenant = TENANT.model_copy(update={"ocr_engine": engine})
            (found,) = examine([VisionExamination(http, secrets, url).group()], tenant)
            return found

        yield look
    http.close()


def test_a_shop_whose_photos_are_read_here_is_asked_nothing(says: Says) -> None:
    assert says("local", None).status == "skipped"


@pytest.mark.parametrize("engine", ["vision", "vision_then_local", "local_then_vision"])
def test_a_key_that_reads_is_in_order(says: Says, engine: str) -> None:
    found = says(engine, SHOP.spec.vision_api_key)
    assert (found.check, found.status, found.said) == ("ocr.key", "ok", "Cloud Vision read a blank picture")


@pytest.mark.parametrize("held", ["AIza-made-up", None])
def test_a_key_that_is_refused_or_that_nobody_stored_fails_with_a_remedy(says: Says, held: str | None) -> None:
    found = says("vision", held)
    assert found.status == "failed"
    assert "ocr/api_key" in (found.remedy or "")
    assert held is None or held not in str(found)
