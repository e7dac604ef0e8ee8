"""The stand-in Odoo answers what a real Odoo 19.0 answered: every recorded pair is replayed.

The recordings come from a fresh database with one invoice, so the shop is reduced to that one here.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from smarteros_sandbox.odoo import create_odoo_app
from smarteros_sandbox.shops.models import DemoShop

from .shops_stand import DEMO, Stand, demo_shops

RECORDINGS = "data/odoo_json2_recordings.json"
PAIRS = 10


def recorded_shop() -> DemoShop:
    """TENANT_DEMO with María's first invoice only, named as the recorded company."""
    shop = demo_shops()[DEMO]
    maria = shop.partners[0].model_copy(update={"total_purchases": 1, "total_returns": 0})
    invoice = shop.invoices[0].model_copy(update={"due_date": date(2026, 11, 22)})
    spec = shop.spec.model_copy(update={"name": "CL Company"})
    return shop.model_copy(update={"spec": spec, "partners": (maria,), "invoices": (invoice,)})


@pytest.fixture(scope="module")
def recordings(shared_dir: Path) -> list[dict[str, Any]]:
    path = shared_dir / RECORDINGS
    if not path.exists():
        pytest.skip(f"{RECORDINGS} is not here")
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("position", range(PAIRS))
def test_replay(recordings: list[dict[str, Any]], position: int):
    pair = recordings[position]
    stand = Stand(create_odoo_app, [recorded_shop()])
    key = "wrong" if pair["status"] == 401 else stand.shops[0].spec.odoo_api_key
    answer = stand.post(pair["path"], pair["request"], Authorization=f"bearer {key}")
    body = answer.json()
    if answer.status_code >= 400:
        assert body.pop("debug"), "the recordings leave out the traceback"
    assert answer.status_code == pair["status"]
    assert body == pair["response"]


def test_no_recorded_pair_is_left_out(recordings: list[dict[str, Any]]):
    assert len(recordings) == PAIRS
