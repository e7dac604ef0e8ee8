"""A short version of ``just bench-documents``: the shape of its figures on every run of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.documents.bench import Stand, forged, own_set
from tests.documents.forgeries import FORGERIES
from tests.documents.paper import fonts_present

pytestmark = pytest.mark.skipif(not fonts_present(), reason="no fonts with Spanish letters on this machine")
SEED = 77


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    opened = Stand()
    yield opened
    opened.close()


def test_invented_invoices_are_read(stand: Stand) -> None:
    scores, _ = own_set(stand, SEED, {"clean": 4, "light": 4, "unreadable": 2}, lambda _line: None)
    together = scores.together(scores.core, "clean", "light")
    assert together.percent >= 95, scores.wrong
    assert scores.error_rate("clean", "light") <= 5
    assert scores.emitted == 0, scores.wrong
    assert scores.false_alarms.right == 0, scores.wrong


def test_forged_timbres_on_paper_are_rejected(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ("own key, SII's key id", "printed total raised", "timbre of another sale")
    for name in set(FORGERIES) - set(chosen):
        monkeypatch.delitem(FORGERIES, name)
    assert {name: tally.percent for name, tally in forged(stand, SEED, 1).items()} == dict.fromkeys(chosen, 100.0)
