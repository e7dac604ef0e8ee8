"""Two engines by the shop's policy: who is asked, who answers, and what the customer never notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.documents.engines import AWAY, NOTHING, SURE, UNSURE, Shops, says, shop

from smarteros.documents.fallback import REST_SECONDS, FallbackOcrEngine, Rest, confidence_of
from smarteros.documents.protocol import OcrPage
from smarteros.domain.errors import RejectedInputError
from smarteros.observability.metrics import REGISTRY


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("fault", AWAY, ids=lambda fault: fault.code)
def test_when_the_first_engine_is_away_the_second_reads(fault: Exception) -> None:
    first, second = says(fault), says(SURE)
    assert FallbackOcrEngine(first, second).read(b"x") == SURE
    assert (first.asked, second.asked) == (1, 1)


def test_the_operator_hears_of_a_refused_key_though_customers_are_answered() -> None:
    with capture_logs() as logs:
        FallbackOcrEngine(says(AWAY[2]), says(SURE)).read(b"x")
    assert [(entry["log_level"], entry["reason"]) for entry in logs] == [("error", "vision_key_refused")]


def test_an_engine_that_answers_is_the_only_one_asked() -> None:
    second = says(SURE)
    assert FallbackOcrEngine(says(UNSURE), second).read(b"x") == UNSURE
    assert second.asked == 0


def test_when_both_are_away_the_fault_is_the_second_ones() -> None:
    with pytest.raises(RejectedInputError, match="local"):
        FallbackOcrEngine(says(AWAY[0]), says(RejectedInputError("image_unreadable", "local"))).read(b"x")


def test_what_the_first_engine_refuses_is_not_tried_on_the_second() -> None:
    second = says(SURE)
    with pytest.raises(RejectedInputError):
        FallbackOcrEngine(says(RejectedInputError("document_unreadable", "x")), second, confidence_of).read(b"x")
    assert second.asked == 0


@pytest.mark.parametrize(("first", "second", "read"), [(UNSURE, SURE, SURE), (NOTHING, UNSURE, UNSURE)])
def test_an_unsure_engine_gets_a_second_opinion_and_the_surer_one_counts(
    first: OcrPage, second: OcrPage, read: OcrPage
) -> None:
    assert FallbackOcrEngine(says(first), says(second), confidence_of).read(b"x") == read


@pytest.mark.parametrize("second", [NOTHING, UNSURE, *AWAY], ids=["nothing", "as unsure", *[f.code for f in AWAY]])
def test_a_second_opinion_that_is_no_better_changes_nothing(second: Any) -> None:
    assert FallbackOcrEngine(says(UNSURE), says(second), confidence_of).read(b"x") == UNSURE


def test_a_sure_engine_costs_no_second_opinion() -> None:
    second = says(SURE)
    FallbackOcrEngine(says(SURE), second, confidence_of).read(b"x")
    assert second.asked == 0


def test_an_engine_away_for_long_is_left_alone_and_tried_again_after_a_minute() -> None:
    clock = Clock()
    first, second = says(*[AWAY[0]] * 4, SURE), says(UNSURE)
    engine = FallbackOcrEngine(first, second, rest=Rest(clock))
    for _ in range(6):
        assert engine.read(b"x") == UNSURE
    assert first.asked == 3

    clock.now = REST_SECONDS
    assert engine.read(b"x") == UNSURE, "still away, so it rests again at once"
    assert engine.read(b"x") == UNSURE
    assert first.asked == 4

    clock.now = 2 * REST_SECONDS
    assert engine.read(b"x") == SURE
    assert engine.read(b"x") == SURE


@pytest.mark.parametrize(
    ("policy", "local", "cloud", "read", "asked"),
    [
        ("local", UNSURE, SURE, UNSURE, (1, 0)),
        ("vision", SURE, UNSURE, UNSURE, (0, 1)),
        ("vision_then_local", SURE, AWAY[0], SURE, (1, 1)),
        ("vision_then_local", SURE, UNSURE, UNSURE, (0, 1)),
        ("local_then_vision", UNSURE, SURE, SURE, (1, 1)),
        ("local_then_vision", SURE, SURE, SURE, (1, 0)),
    ],
)
def test_each_shop_is_read_by_its_own_policy(
    policy: str, local: Any, cloud: Any, read: OcrPage, asked: tuple[int, int]
) -> None:
    shops = Shops(says(local), says(cloud))
    assert shops.engines().of(shop(policy)).read(b"x") == read
    assert (shops.local.asked, shops.cloud.asked) == asked


def test_a_shop_that_reads_locally_needs_no_cloud() -> None:
    shops = Shops(says(SURE), says(SURE))
    shops.engines().of(shop("local")).read(b"x")
    assert shops.clouds_made == []


def test_one_shops_refused_key_does_not_rest_anothers_engine() -> None:
    shops = Shops(says(UNSURE), says(*[AWAY[2]] * 3, SURE))
    engines = shops.engines()
    for _ in range(4):
        assert engines.of(shop("vision_then_local", "TENANT_A")).read(b"x") == UNSURE
    assert engines.of(shop("vision_then_local", "TENANT_B")).read(b"x") == SURE


def test_pages_are_counted_by_shop_engine_and_what_became_of_them() -> None:
    shops = Shops(says(SURE), says(AWAY[0]))
    shops.engines().of(shop("vision_then_local", "TENANT_COUNTED")).read(b"x")

    def counted(engine: str, outcome: str) -> float | None:
        labels = {"tenant": "TENANT_COUNTED", "engine": engine, "outcome": outcome}
        return REGISTRY.get_sample_value("smos_ocr_pages_total", labels)

    assert (counted("vision", "failed"), counted("local", "read"), counted("vision", "read")) == (1, 1, None)
