"""Our tools over recorded answers of a shop: one file per situation, every request and the result must be the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.tools.shopify_recordings import FOLDER, TODAY, Between, Situation, asked, situations, tools_at

from smarteros_sandbox.shops.loader import load_shops

SHOP = load_shops(TODAY)[0]
SITUATIONS = situations(SHOP)


@pytest.mark.parametrize("situation", SITUATIONS, ids=[situation.name for situation in SITUATIONS])
def test_a_recorded_situation_is_answered_as_it_was(situation: Situation) -> None:
    recorded = json.loads((FOLDER / f"{situation.name}.json").read_text("utf-8"))
    left = list(recorded["exchanges"])

    def replay(path: str, _headers: dict[str, str], body: Any) -> tuple[int, Any]:
        # Questions asked at once come in any order; the same one asked again is answered as it was then.
        expected = next(each for each in left if (path, asked(body)) == (each["path"], each["asked"]))
        left.remove(expected)
        return expected["status"], expected["body"]

    with Between(replay).serving() as url, tools_at(url, SHOP) as ask:
        assert ask(situation) == recorded["result"]
    assert left == []


def test_every_recording_is_played() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {situation.name for situation in SITUATIONS}
