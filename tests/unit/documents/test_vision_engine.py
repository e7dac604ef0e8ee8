"""Cloud Vision's faults and odd answers, over a server on loopback that says what the test wants."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.support import MemorySecrets, serving

from smarteros.documents.local import DocumentWorker, jpeg_in
from smarteros.documents.vision import MAX_IMAGE_BYTES, VisionOcrEngine
from smarteros.documents.vision_answer import page_of
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient, retry_after_seconds
from smarteros.observability.metrics import REGISTRY

QUOTA = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}
NO_TEXT: dict[str, Any] = {"responses": [{}]}


@dataclass
class FakeGoogle:
    """Gives its answers one after the other, and the last one for ever."""

    answers: list[Response] = field(default_factory=list[Response])
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    url: str = ""

    async def annotate(self, request: Request) -> Response:
        self.bodies.append(json.loads(await request.body()))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Waits:
    """Time that passes only in sleep."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list[float])

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def served() -> Iterator[FakeGoogle]:
    google = FakeGoogle()
    app = Starlette(routes=[Route("/v1/images:annotate", google.annotate, methods=["POST"])])
    with serving(app) as url:
        google.url = url
        yield google


@pytest.fixture
def google(served: FakeGoogle) -> FakeGoogle:
    served.answers, served.bodies = [JSONResponse(NO_TEXT)], []
    return served


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def make(google: FakeGoogle, waits: Waits) -> Iterator[Callable[..., VisionOcrEngine]]:
    http = HttpClient(default_timeout_s=5)
    secrets = MemorySecrets({("TENANT_AROMO", "ocr/api_key"): "k-123"})
    scope = TenantScope(tenant_id="TENANT_AROMO")

    def engine(**options: Any) -> VisionOcrEngine:
        return VisionOcrEngine(http, secrets, scope, google.url, sleep=waits.sleep, clock=lambda: waits.now, **options)

    yield engine
    http.close()


def png(width: int = 60, height: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, "PNG")
    return buffer.getvalue()


def refusal(kind: type[SmosError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.code


def images_billed() -> float:
    return REGISTRY.get_sample_value("smos_vision_images_total", {"tenant": "TENANT_AROMO"}) or 0.0


def test_the_time_google_asks_for_is_waited(google: FakeGoogle, make: Any, waits: Waits) -> None:
    google.answers = [JSONResponse(QUOTA, 429, {"Retry-After": "3"}), JSONResponse(NO_TEXT)]
    assert make().read(png()).lines == ()
    assert waits.slept == [3.0]


def test_a_wait_beyond_the_budget_is_not_begun(google: FakeGoogle, make: Any, waits: Waits) -> None:
    google.answers = [JSONResponse(QUOTA, 429, {"Retry-After": "30"})]
    assert refusal(TransientError, lambda: make().read(png())) == "vision_unavailable"
    assert (waits.slept, len(google.bodies)) == ([], 1)


def test_without_a_word_from_google_the_pauses_grow_and_end(google: FakeGoogle, make: Any, waits: Waits) -> None:
    google.answers = [JSONResponse(QUOTA, 429)]
    assert refusal(TransientError, lambda: make().read(png())) == "vision_unavailable"
    assert (waits.slept, len(google.bodies)) == ([0.5, 2.0], 3)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (JSONResponse({"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, 400), ConfigError, "vision_key_refused"),
        (JSONResponse({"error": {"status": "PERMISSION_DENIED"}}, 403), ConfigError, "vision_key_refused"),
        (JSONResponse({"error": {"status": "INVALID_ARGUMENT"}}, 400), RejectedInputError, "image_unreadable"),
        (JSONResponse({"responses": [{"error": {"code": 3, "message": "Bad image data."}}]}), RejectedInputError,
         "image_unreadable"),
        (JSONResponse({"responses": [{"error": {"code": 8, "message": "quota"}}]}), TransientError,
         "vision_unavailable"),
        (JSONResponse({"responses": [{"error": {"code": 7, "message": "no"}}]}), PermanentError, "vision_failed"),
        (JSONResponse({"responses": [{"error": "odd"}]}), PermanentError, "vision_failed"),
        (JSONResponse({"responses": []}), TransientError, "vision_unreadable"),
        (JSONResponse([]), TransientError, "vision_unreadable"),
        (JSONResponse({}, 404), PermanentError, "vision_failed"),
        (Response("<html>", 200), PermanentError, "vision_failed"),
    ],
)  # fmt: skip
def test_every_refusal_is_sorted_by_who_must_act(
    answer: Response, kind: type[SmosError], code: str, google: FakeGoogle, make: Any
) -> None:
    google.answers = [answer]
    before = images_billed()
    assert refusal(kind, lambda: make().read(png())) == code
    assert images_billed() == before


def test_every_image_read_is_counted_for_the_shop(make: Any) -> None:
    before = images_billed()
    make().read(png())
    make().read(png())
    assert images_billed() == before + 2


def test_corners_that_leave_out_a_coordinate_lie_at_the_edge(google: FakeGoogle, make: Any) -> None:
    corners = [{}, {"x": 90}, {"x": 90, "y": 20}, {"y": 20}]
    word = {"symbols": [{"text": "N"}, {"text": "°"}], "boundingBox": {"vertices": corners}, "confidence": 0.9}
    page = {"width": 100, "height": 50, "blocks": [{"paragraphs": [{"words": [word]}]}]}
    google.answers = [JSONResponse({"responses": [{"fullTextAnnotation": {"pages": [page]}}]})]
    read = make().read(png())
    assert [(line.text, line.box) for line in read.lines] == [("N°", (0, 0, 90, 20))]


def noisy_png() -> bytes:
    buffer = io.BytesIO()
    noise = Image.effect_noise((1900, 1500), 120).convert("RGB")
    Image.merge(
        "RGB", [noise.getchannel(0), noise.rotate(90).resize(noise.size).getchannel(1), noise.getchannel(2)]
    ).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def test_a_picture_too_large_for_vision_is_made_smaller_and_not_refused(google: FakeGoogle, make: Any) -> None:
    worker = DocumentWorker()
    large = noisy_png()
    assert len(large) > MAX_IMAGE_BYTES
    make(shrink=lambda image: jpeg_in(worker, image)).read(large)
    worker.close()
    sent = base64.b64decode(google.bodies[0]["requests"][0]["image"]["content"])
    assert sent.startswith(b"\xff\xd8\xff")
    assert len(sent) <= MAX_IMAGE_BYTES


def test_a_picture_that_stays_too_large_or_is_of_another_kind_never_leaves(google: FakeGoogle, make: Any) -> None:
    assert refusal(RejectedInputError, lambda: make(shrink=lambda image: image).read(noisy_png())) == "image_too_large"
    assert refusal(RejectedInputError, lambda: make().read(b"GIF89a")) == "image_too_large"
    assert google.bodies == []


def test_a_key_is_sent_in_a_header_and_in_no_address(google: FakeGoogle, make: Any) -> None:
    google.answers = [JSONResponse(QUOTA, 500)]
    with pytest.raises(TransientError) as caught:
        make().read(png())
    assert "k-123" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-3", None), (None, None),
     ("9" * 400, 999999999.0), ("Wed, 99 Foo 2015", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header) == seconds


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["pages", "blocks", "paragraphs", "words", "symbols", "boundingBox", "vertices", "x", "y",
                         "confidence", "text", "property", "detectedBreak", "type", "width"]), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(annotation=json_values)
def test_whatever_shape_an_answer_has_it_gives_a_page(annotation: Any) -> None:
    page = page_of({"fullTextAnnotation": annotation})
    assert all(0 <= line.confidence <= 1 for line in page.lines)
