"""Every hostile file, given to the reader as the flow gives it: one reason or an empty reading, and life goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.attacks.hostile_documents import FILES, hostile, receipt

from smarteros.documents.local import DocumentWorker, LocalOcrEngine
from smarteros.documents.reader import DocumentReader
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant

TENANT = Tenant(
    tenant_id="TENANT_AROMO",
    name="Tienda Aromo SpA",
    rut="76123456-0",
    tenant_key="k" * 24,
    chatwoot_url="https://chat.aromo.example",
    chatwoot_account_ids=(31,),
)
# Read like any other picture or page, as far as it goes; there is no invoice in it.
HARMLESS = {
    "png of 39 megapixels, all zeros",
    "png whose pixels unpack to more than it has",
    "png and zip in one",
    "jpeg and pdf in one",
    "heic and pdf in one",
    "pdf and html in one",
    "pdf of 5000 pages",
    "pdf packed three times",
    "pdf with a picture of 900 megapixels",
    "pdf whose tables point at each other",
    "pdf of a page as large as a country",
    "pdf that wants to start a program",
}
# What costs too much is given up; where exactly depends on the machine.
EXPENSIVE = {
    "jpeg of a thousand scans",
    "pdf whose forms draw each other",
    "pdf with a billion tiles",
    "pdf with 300,000 words",
    "pdf packed three times",
}
GIVEN_UP = {"document_too_slow", "document_too_heavy", "document_unreadable", "pdf_unreadable", "image_unreadable"}
ALLOWED_MIB = 1500


@pytest.fixture(scope="module")
def worker() -> Iterator[DocumentWorker]:
    # As many seconds on the wall as a crowded machine needs, and as little CPU as an honest page allows.
    worker = DocumentWorker(job_seconds=60, cpu_seconds=3.0)
    LocalOcrEngine(worker).warm_up()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def reader(worker: DocumentWorker) -> DocumentReader:
    return DocumentReader(lambda _tenant: LocalOcrEngine(worker), worker)


def most_memory_mib(worker: DocumentWorker) -> int:
    """The most the running process has ever used; 0 where that is not told."""
    lines = [
        line
        for pid in worker.pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max((int(line.split()[1]) // 1024 for line in lines), default=0)


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_ends_in_a_reason_or_in_nothing_read(
    name: str, reader: DocumentReader, worker: DocumentWorker
) -> None:
    try:
        reading = reader.read_strictly(TENANT, hostile(name))
    except RejectedInputError as error:
        assert name not in HARMLESS - EXPENSIVE, error.code
        assert error.operator_message
        if name in EXPENSIVE:
            assert error.code in GIVEN_UP
    else:
        assert name in HARMLESS | EXPENSIVE
        assert not reading.trusted
    assert most_memory_mib(worker) < ALLOWED_MIB
    assert worker.run("jpeg", HONEST["JPEG"])["image"], "the next customer's photo is read"


MAGIC = st.sampled_from(
    [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\x00\x00\x00WEBPVP8 ", b"RIFF\x40\x00\x00\x00WEBPVP8L",
     b"%PDF-1.7\n", b"\x00\x00\x00\x18ftypheic"]
)  # fmt: skip
HONEST = {kind: receipt(kind) for kind in ("JPEG", "PNG", "WEBP")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(magic=MAGIC, rest=st.binary(max_size=400))
def test_noise_behind_any_magic_is_a_reading_and_never_an_exception(
    magic: bytes, rest: bytes, reader: DocumentReader
) -> None:
    assert not reader.read(TENANT, magic + rest).trusted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(HONEST)), cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=4)
)
def test_an_honest_picture_with_wounds_never_breaks_the_decoder(
    kind: str, cuts: list[tuple[float, bytes]], worker: DocumentWorker
) -> None:
    data = bytearray(HONEST[kind])
    for place, bytes_ in cuts:
        at = int(place * len(data))
        data[at : at + len(bytes_)] = bytes_
    try:
        answer = worker.run("jpeg", bytes(data))
    except RejectedInputError as error:
        assert error.code in {"image_unreadable", "image_too_large", "document_too_heavy"}
    else:
        assert answer["image"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=12)), max_size=6))
def test_a_wounded_pdf_never_breaks_the_decoder(cuts: list[tuple[float, bytes]], worker: DocumentWorker) -> None:
    data = bytearray(hostile("pdf without a page").replace(b"/Kids[]/Count 0", b"/Kids[2 0 R]/Count 9"))
    for place, bytes_ in cuts:
        at = int(place * len(data))
        data[at : at + len(bytes_)] = bytes_
    try:
        worker.run("pdf", bytes(data))
    except RejectedInputError as error:
        assert error.code in {"pdf_unreadable", "document_too_heavy", "document_too_slow"}
