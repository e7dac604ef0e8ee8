"""The stand-in Cloud Vision: reads the demo's invoices, knows nothing else, fails as documented."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smarteros_sandbox.shops.render import invoice_lines, render_invoice
from smarteros_sandbox.vision import create_vision_app

from .shops_stand import DEMO, Stand, demo_shops

SHOP = demo_shops()[DEMO]
PATH = "/v1/images:annotate"
STAND = Stand(create_vision_app)
FEATURES = [{"type": "DOCUMENT_TEXT_DETECTION"}]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def annotate(picture: bytes, stand: Stand = STAND, **image: Any) -> Any:
    content = base64.b64encode(picture).decode()
    body = {"requests": [{"image": {"content": content, **image}, "features": FEATURES}]}
    return stand.post(PATH, body, x_goog_api_key=SHOP.spec.vision_api_key)


def first(picture: bytes, stand: Stand = STAND) -> Any:
    answer = annotate(picture, stand)
    assert answer.status_code == 200
    return answer.json()["responses"][0]


def text_of(page: dict[str, Any]) -> str:
    """The text put together again from the symbols, as a client of Vision does it."""
    breaks = {"SPACE": " ", "LINE_BREAK": "\n"}
    parts: list[str] = []
    for block in page["blocks"]:
        for paragraph in block["paragraphs"]:
            for word in paragraph["words"]:
                for symbol in word["symbols"]:
                    kind = symbol.get("property", {}).get("detectedBreak", {}).get("type")
                    parts += [symbol["text"], breaks.get(kind, "")]
    return "".join(parts)


def test_an_invoice_is_read_line_by_line():
    annotation = first(render_invoice(SHOP, SHOP.invoices[0]))["fullTextAnnotation"]
    lines = annotation["text"].splitlines()
    assert lines[0] == "Tienda Demo Calzados"
    assert set(invoice_lines(SHOP, SHOP.invoices[0])) <= set(lines)
    page = annotation["pages"][0]
    assert (page["width"], page["height"]) == (900, 1200)
    assert page["confidence"] > 0.9
    assert text_of(page) == annotation["text"]


def test_boxes_lie_on_the_page_and_leave_out_zeros():
    page = first(render_invoice(SHOP, SHOP.invoices[0]))["fullTextAnnotation"]["pages"][0]
    for block in page["blocks"]:
        for vertex in block["boundingBox"]["vertices"]:
            assert 0 not in vertex.values()
            assert vertex.get("x", 0) <= 900 and vertex.get("y", 0) <= 1200


def test_text_annotations_start_with_the_whole_text():
    answer = first(render_invoice(SHOP, SHOP.invoices[0]))
    assert answer["textAnnotations"][0]["description"] == answer["fullTextAnnotation"]["text"]
    assert "INV-2025-001" in {one["description"] for one in answer["textAnnotations"][1:]}


def test_a_blurred_invoice_is_unsure_and_incomplete():
    annotation = first(render_invoice(SHOP, SHOP.invoices[0], blurred=True))["fullTextAnnotation"]
    assert annotation["pages"][0]["confidence"] < 0.70
    assert "INV-2025-001" not in annotation["text"]


def test_a_photo_that_was_encoded_again_is_unknown():
    buffer = io.BytesIO()
    Image.open(io.BytesIO(render_invoice(SHOP, SHOP.invoices[0]))).convert("RGB").save(buffer, "JPEG")
    assert first(buffer.getvalue()) == {}


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"\xff\xd8\xff\xe0" + b"x" * 50])
def test_no_picture(data: bytes):
    assert first(data)["error"] == {"code": 3, "message": "Bad image data."}


def png(width: int, height: int, text: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    itxt = chunk(b"iTXt", b"smos-lines\x00\x00\x00\x00\x00" + text) if text else b""
    pixels = chunk(b"IDAT", zlib.compress(b"\x00" * 10))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + itxt + pixels + chunk(b"IEND", b"")


def test_a_bomb_is_not_unpacked():
    assert first(png(60_000, 60_000))["error"]["code"] == 3


@pytest.mark.parametrize("text", [b"x", b"{}", b'{"blurred":1,"lines":[]}', b'{"blurred":false,"lines":[{"text":1}]}'])
def test_a_forged_chunk_is_no_text(text: bytes):
    assert first(png(10, 10, text)) == {}


def test_a_box_of_zeros_leaves_out_its_coordinates():
    text = b'{"blurred":false,"lines":[{"text":"a b","box":[0,0,0,0]}]}'
    block = first(png(10, 10, text))["fullTextAnnotation"]["pages"][0]["blocks"][0]
    assert block["boundingBox"]["vertices"] == [{}, {}, {}, {}]


def test_a_url_is_never_fetched():
    body = {"requests": [{"image": {"source": {"imageUri": "http://127.0.0.1:1/x.png"}}, "features": FEATURES}]}
    answer = STAND.post(PATH, body, x_goog_api_key=SHOP.spec.vision_api_key)
    assert answer.json()["responses"][0]["error"]["code"] == 7


def test_one_bad_picture_does_not_spoil_the_other():
    good = base64.b64encode(render_invoice(SHOP, SHOP.invoices[0])).decode()
    body = {"requests": [{"image": {"content": one}, "features": FEATURES} for one in ("aGVsbG8=", good)]}
    bad, read = STAND.post(PATH, body, x_goog_api_key=SHOP.spec.vision_api_key).json()["responses"]
    assert bad["error"]["code"] == 3
    assert "INV-2025-001" in read["fullTextAnnotation"]["text"]


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [({}, 403, "PERMISSION_DENIED"), ({"x_goog_api_key": "x"}, 400, "INVALID_ARGUMENT")],
)
def test_keys(headers: dict[str, str], status: int, reason: str):
    answer = STAND.post(PATH, {"requests": []}, **headers)
    assert (answer.status_code, answer.json()["error"]["status"]) == (status, reason)
    if status == 400:
        assert answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("quota", 429, "RESOURCE_EXHAUSTED"),
        ("http_500", 500, "INTERNAL"),
        ("hang", 504, "DEADLINE_EXCEEDED"),
        ("invalid_key", 400, "INVALID_ARGUMENT"),
    ],
)
def test_faults(kind: str, status: int, reason: str):
    stand = Stand(create_vision_app)
    stand.faults.set("vision", kind, scope="TENANT_DEMO", times=1, value=0)
    picture = render_invoice(SHOP, SHOP.invoices[0])
    answer = annotate(picture, stand)
    assert (answer.status_code, answer.json()["error"]["status"]) == (status, reason)
    assert annotate(picture, stand).status_code == 200


def test_faults_of_the_reading():
    stand = Stand(create_vision_app)
    picture = render_invoice(SHOP, SHOP.invoices[0])
    stand.faults.set("vision", "low_confidence", times=1)
    assert first(picture, stand)["fullTextAnnotation"]["pages"][0]["confidence"] < 0.70
    stand.faults.set("vision", "image_error", times=1)
    assert first(picture, stand)["error"]["code"] == 3
    assert first(picture, stand)["fullTextAnnotation"]["pages"][0]["confidence"] > 0.90


def test_files_are_not_annotated():
    answer = STAND.post("/v1/files:annotate", {}, x_goog_api_key=SHOP.spec.vision_api_key)
    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")


@settings(max_examples=60, deadline=None)
@given(body=JUNK | st.fixed_dictionaries({"requests": st.lists(JUNK, max_size=3)}))
def test_junk(body: Any):
    assert STAND.post(PATH, body, x_goog_api_key=SHOP.spec.vision_api_key).status_code in (200, 400)


@settings(max_examples=60, deadline=None)
@given(image=JUNK, features=JUNK, context=JUNK)
def test_junk_in_a_request(image: Any, features: Any, context: Any):
    body = {"requests": [{"image": image, "features": features, "imageContext": context}]}
    assert STAND.post(PATH, body, x_goog_api_key=SHOP.spec.vision_api_key).status_code in (200, 400)


@settings(max_examples=60, deadline=None)
@given(tail=st.binary(max_size=200), cut=st.integers(0, 2000))
def test_damaged_pictures(tail: bytes, cut: int):
    answer = annotate(render_invoice(SHOP, SHOP.invoices[0])[:cut] + tail)
    assert answer.status_code == 200
