"""Timbres in pictures: found, straightened and decoded; and not invented where there is none."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image
from tests.documents.camera import no_invoice, photographed
from tests.documents.layouts import sii_classic, thermal
from tests.documents.paper import fonts_present
from tests.documents.sets import make_invoice, timbre_close_up

from smarteros.documents.guards import decode_image
from smarteros.documents.timbre.decode import search_timbre
from smarteros.documents.timbre.grid import find_grid
from smarteros.documents.timbre.ted import parse_ted

pytestmark = pytest.mark.skipif(not fonts_present(), reason="no fonts with Spanish letters on this machine")


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"))


def page(seed: int, layout=sii_classic) -> tuple[Image.Image, bytes]:
    rng = random.Random(seed)
    invoice = make_invoice("two_columns", rng)
    assert invoice.ted is not None
    return layout(invoice, rng).picture(), invoice.ted


def timbre(data: bytes) -> bytes | None:
    found = search_timbre(grey(decode_image(data, 4096)), most_seconds=30).timbre
    return None if found is None else found.data


@pytest.mark.parametrize("degrees", [0, 3, 90, 180, 267])
def test_a_timbre_is_read_byte_for_byte_whichever_way_the_page_lies(degrees: int) -> None:
    picture, ted = page(1)
    turned = picture.rotate(degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    found = search_timbre(grey(turned), most_seconds=30).timbre
    assert found is not None
    assert found.data == ted


@pytest.mark.parametrize("layout", [sii_classic, thermal])
def test_a_phones_original_gives_its_timbre(layout) -> None:
    picture, ted = page(2, layout)
    data, _ = photographed(picture, "original", np.random.default_rng(4))
    assert timbre(data) == ted


def test_a_close_up_gives_its_timbre() -> None:
    data, invoice = timbre_close_up(random.Random(6))
    found = timbre(data)
    assert found is not None
    assert parse_ted(found).total == invoice.total


@pytest.mark.parametrize(("seed", "turned"), [(1, 0), (2, 2)])
def test_a_timbre_of_one_pixel_a_module_is_read_codeword_by_codeword(seed: int, turned: int) -> None:
    picture, ted = page(seed)
    small = picture.resize((round(picture.width * 0.47), round(picture.height * 0.47)), Image.Resampling.LANCZOS)
    noisy = grey(small).astype(float) + np.random.default_rng(seed).normal(0, 4, (small.height, small.width))
    photo = np.rot90(noisy.clip(0, 255).astype(np.uint8), turned)
    found = search_timbre(np.ascontiguousarray(photo), most_seconds=30).timbre
    assert found is not None
    assert found.data == ted


def test_letters_have_no_grid() -> None:
    rng = random.Random(3)
    text = grey(sii_classic(make_invoice("label", rng), rng).picture())[380:1060, :]
    assert find_grid(np.ascontiguousarray(text), 54) is None


@pytest.mark.parametrize("at", range(4))
def test_no_timbre_is_invented(at: int) -> None:
    search = search_timbre(grey(decode_image(no_invoice(np.random.default_rng([3, at]), at))))
    assert search.timbre is None


def test_a_page_of_text_is_no_barcode() -> None:
    rng = random.Random(3)
    sheet = sii_classic(make_invoice("label", rng), rng)
    search = search_timbre(grey(sheet.picture()))
    assert (search.timbre, search.seen) == (None, None)


def test_a_barcode_too_coarse_to_decode_is_still_seen() -> None:
    picture, _ = page(4)
    small = picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.BOX)
    search = search_timbre(grey(small))
    assert search.timbre is None
    assert search.seen is not None


@pytest.mark.parametrize("size", [(1, 1), (30, 4000), (4000, 3), (64, 64)])
def test_a_picture_of_any_size_is_searched(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, size, dtype=np.uint8)
    assert search_timbre(noise).timbre is None
