"""``just bench-documents``: reading invoices, measured on sets the code was not tuned on."""

from __future__ import annotations

import argparse
import base64
import json
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from smarteros.bench.processes import cpu_seconds
from smarteros.documents.extract import extract
from smarteros.documents.guards import MAX_TIMBRE_SIDE, decode_image
from smarteros.documents.local import DocumentWorker, LocalOcrEngine
from smarteros.documents.protocol import OcrPage
from smarteros.documents.reader import DocumentReader
from smarteros.documents.reading import DocumentResult
from smarteros.documents.timbre.keys import SII_KEYS
from smarteros.documents.timbre.verify import TimbreVerifier
from tests.documents.camera import no_invoice
from tests.documents.forgeries import FORGERIES
from tests.documents.layouts import Invoice
from tests.documents.paper import fonts_present
from tests.documents.scores import CORE, Scores, Tally
from tests.documents.sets import (
    CATALOGUE,
    DEV_SEED,
    HELD_OUT_SEED,
    LAYOUTS,
    documents,
    fee_receipt_photo,
    make_invoice,
    pdf_document,
    timbre_close_up,
)
from tests.documents.stamps import believed_keys

DEVELOPMENT_SET = Path(__file__).parents[3] / "shared" / "data" / "documents-dev"
GOOD = ("clean", "light", "medium")
FULL = {"clean": 12, "light": 24, "medium": 30, "heavy": 18, "unreadable": 12, "original": 12}
QUICK = {"clean": 6, "light": 6, "medium": 6, "heavy": 6, "unreadable": 3, "original": 3}


@dataclass
class Seconds:
    """What reading cost, page by page: the whole step by the clock, and CPU of the worker and of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ocr_cpu: list[float] = field(default_factory=list)


class Stand:
    """A reader that believes the test authority, its pages kept and its time taken."""

    def __init__(self) -> None:
        self.worker = DocumentWorker(job_seconds=120, cpu_seconds=30.0, processes=1, recycle_after=10_000)
        self.engine = LocalOcrEngine(self.worker)
        self.reader = DocumentReader(
            lambda _tenant: self.engine, self.worker, TimbreVerifier({**SII_KEYS, **believed_keys()})
        )
        self.seconds = Seconds()
        self.page = OcrPage(lines=(), width=0, height=0)
        self.pages = 0
        self.memory: dict[int, int] = {}
        self.engine.warm_up()

    def read(self, data: bytes) -> OcrPage:
        """The engine's part of a reading."""
        before = cpu_seconds(self._pids)
        self.page = self.engine.read(data)
        self.seconds.ocr_cpu.append(cpu_seconds(self._pids) - before)
        return self.page

    def result(self, data: bytes, *, tenant_rut: str | None = None, catalogue: tuple[str, ...] = ()) -> DocumentResult:
        """A whole reading."""
        began, own, before = time.perf_counter(), time.process_time(), cpu_seconds(self._pids)
        found = self.reader.result(data, self, tenant_rut=tenant_rut, catalogue=catalogue)
        self.pages += 1
        if self.pages in (1, 50, 100, 150, 200):
            self.memory[self.pages] = self.memory_mb
        self.seconds.wall.append(time.perf_counter() - began)
        self.seconds.cpu.append(time.process_time() - own + cpu_seconds(self._pids) - before)
        return found

    @property
    def memory_mb(self) -> int:
        """Resident memory of the worker."""
        status = Path(f"/proc/{self.worker.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024

    @property
    def _pids(self) -> list[int]:
        return [pid for pid in (self.worker.pid,) if pid is not None]

    def close(self) -> None:
        self.worker.close()


def own_set(stand: Stand, seed: int, counts: dict[str, int], tell: Callable[[str], None]) -> tuple[Scores, list[bytes]]:
    """Read the invented documents of a seed; also returns some of the pictures."""
    scores, pictures = Scores(), list[bytes]()
    for document in documents(seed, counts):
        found = stand.result(document.data, tenant_rut=document.invoice.rut)
        scores.add(
            f"{document.name} {document.layout}", document.level, document.wanted, found, stamp=document.invoice.ted
        )
        if document.level not in ("unreadable", "original"):
            scores.add_page(document.level, document.sheet.texts, stand.page)
        if document.readable:
            scores.product[document.level].add(_named(stand, found, CATALOGUE, document.invoice.items[0].name))
        if document.level in GOOD and len(pictures) < 12:
            pictures.append(document.data)
        tell(f"{document.name} {found.confidence:.2f} {found.timbre.state}")
    return scores, pictures


def development_set(stand: Stand, tell: Callable[[str], None]) -> Scores | None:
    """Read the shared development set, if it is here."""
    if not (DEVELOPMENT_SET / "labels.json").is_file():
        return None
    scores = Scores()
    labels = json.loads((DEVELOPMENT_SET / "labels.json").read_text())
    names = sorted({item["name"] for label in labels for item in label["items"]})
    for label in labels:
        printed = label["fields"]
        number = printed["number"].lstrip("0") if printed["number"].isdigit() else printed["number"]
        wanted = dict(
            zip(CORE, (printed["rut"], number, printed["date"], printed["total"], printed["product"]), strict=True)
        )
        found = stand.result((DEVELOPMENT_SET / label["file"]).read_bytes(), tenant_rut=printed["rut"])
        stamp = base64.b64decode(label["ted"]) if label["ted"] else None
        scores.add(f"{label['file']} {label['layout']}", label["level"], wanted, found, stamp=stamp)
        if label["level"] != "unreadable":
            scores.add_page(label["level"], label["segments"], stand.page)
            scores.product[label["level"]].add(_named(stand, found, names, printed["product"]))
        tell(f"documents-dev {label['file']} {found.confidence:.2f} {found.timbre.state}")
    return scores


def _named(stand: Stand, found: DocumentResult, catalogue: Sequence[str], wanted: str) -> bool:
    """Whether the product is right with the shop's catalogue at hand, or was so without."""
    alone = found.fields["product_name"].value if "product_name" in found.fields else None
    return wanted in (alone, extract(stand.page, catalogue=catalogue).values.get("product_name"))


def timbres(seed: int, counts: dict[str, int], tell: Callable[[str], None]) -> str:
    """Timbres alone, without OCR and in this process: decoded by level, and CPU seconds of the search."""
    from smarteros.documents.timbre.decode import search_timbre

    decoded: dict[str, Tally] = {}
    seconds: list[float] = []
    for document in documents(seed, counts):
        if document.invoice.ted is None:
            continue
        grey = np.asarray(decode_image(document.data, MAX_TIMBRE_SIDE).convert("L"))
        before = time.thread_time()
        found = search_timbre(grey).timbre
        seconds.append(time.thread_time() - before)
        good = found is not None and found.data == document.invoice.ted
        decoded.setdefault(document.level, Tally()).add(good)
        tell(f"{document.name} {document.layout} {document.px_per_module:.2f} px a module: {good}, {seconds[-1]:.2f} s")
    median, p95 = (float(np.percentile(seconds, part)) for part in (50, 95))
    return "\n".join(
        [*(f"{level}: {tally}" for level, tally in decoded.items()), f"CPU {median:.2f} s, p95 {p95:.2f} s"]
    )


def close_ups(stand: Stand, seed: int, count: int) -> Tally:
    """Photos of the timbre alone."""
    tally = Tally()
    for at in range(count):
        data, invoice = timbre_close_up(random.Random(f"{seed} close-up {at}"))
        found = stand.result(data, tenant_rut=invoice.rut)
        tally.add(found.timbre.state == "verificado" and found.fields["total"].value == invoice.total)
    return tally


def forged(stand: Stand, seed: int, each: int) -> dict[str, Tally]:
    """Documents with forged timbres, read from a clean picture: rejected when not ``verificado``."""
    tallies: dict[str, Tally] = {}
    for name, forge in FORGERIES.items():
        tally = tallies[name] = Tally()
        for at in range(each):
            rng = random.Random(f"{seed} {name} {at}")
            layout = ("sii_classic", "thermal", "two_columns")[at % 3]
            invoice = _stamped_invoice(layout, rng)
            sheet = LAYOUTS[layout](replace(invoice, ted=forge(invoice)), rng)
            found = stand.result(_png(sheet.picture()), tenant_rut=invoice.rut)
            tally.add(found.timbre.state != "verificado" and found.timbre.reason not in ("undecodable", "no_timbre"))
    return tallies


def pdfs(stand: Stand, seed: int, each: int) -> dict[str, Tally]:
    """PDFs as shops mail them: all five core fields right."""
    tallies = {"with text layer": Tally(), "scanned": Tally(), "timbre decoded": Tally()}
    for at in range(each):
        for text_layer in (True, False):
            layout = list(LAYOUTS)[at % len(LAYOUTS)]
            data, invoice = pdf_document(layout, random.Random(f"{seed} pdf {at}"), text_layer=text_layer)
            found = stand.result(data, tenant_rut=invoice.rut)
            scores = Scores()
            scores.add("pdf", "clean", _wanted(invoice), found, stamp=None)
            tallies["with text layer" if text_layer else "scanned"].add(scores.core["clean"].right == 5)
            if invoice.ted is not None:
                tallies["timbre decoded"].add(found.timbre.state == "verificado")
    return tallies


def others(stand: Stand, seed: int, count: int) -> Tally:
    """Photos of something else, recognised as no invoice of goods; every third is a boleta de honorarios."""
    tally = Tally()
    for at in range(count):
        if at % 3 == 2:
            level = ("clean", "light", "medium")[at // 3 % 3]
            data = fee_receipt_photo(level, random.Random(f"{seed} fees {at}"))
        else:
            data = no_invoice(np.random.default_rng([seed, at]), at)
        found = stand.result(data)
        tally.add(found.kind == "not_an_invoice" and found.timbre.document_key is None)
    return tally


def compared(stand: Stand, pictures: list[bytes]) -> dict[str, tuple[float, float]]:
    """CPU seconds a page (median, 90th percentile) of this reader, rapidocr's stock call and tesseract, same pages."""
    ours = [_cpu_of(stand, data) for data in pictures]
    found = {"this reader's OCR": _quantiles(ours)}
    script = (
        "import sys,time,io,numpy as np\nfrom PIL import Image\nfrom rapidocr import RapidOCR\n"
        "e=RapidOCR(params={'Global.log_level':'critical'})\n"
        "for at, p in enumerate([sys.argv[1], *sys.argv[1:]]):\n"
        "    a=np.asarray(Image.open(p).convert('RGB')); t=time.process_time(); e(a)\n"
        "    at and print(time.process_time()-t)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{at}.jpg" for at in range(len(pictures))]
        for path, data in zip(paths, pictures, strict=True):
            path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, paths)], capture_output=True, text=True, check=True
        )
        found["rapidocr's stock call"] = _quantiles([float(line) for line in done.stdout.split()])
        if shutil.which("tesseract"):
            found["tesseract (spa, OSD)"] = _quantiles([_tesseract(path) for path in paths])
    return found


def _cpu_of(stand: Stand, data: bytes) -> float:
    stand.read(data)
    return stand.seconds.ocr_cpu[-1]


def _tesseract(path: Path) -> float:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["tesseract", str(path), "-", "-l", "spa", "--psm", "1"],
        capture_output=True,
        check=False,
        env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _quantiles(values: list[float]) -> tuple[float, float]:
    return float(np.percentile(values, 50)), float(np.percentile(values, 90))


def _stamped_invoice(layout: str, rng: random.Random) -> Invoice:
    invoice = make_invoice(layout, rng)
    while invoice.ted is None:
        invoice = make_invoice(layout, rng)
    return invoice


def _wanted(invoice: Invoice) -> dict[str, Any]:
    number = invoice.number.lstrip("0") if invoice.number.isdigit() else invoice.number
    values = (invoice.rut, number, invoice.issued.isoformat(), invoice.total, invoice.items[0].name)
    return dict(zip(CORE, values, strict=True))


def _png(image: Any) -> bytes:
    import io

    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def main(arguments: Iterable[str] | None = None) -> None:
    """Measure and print, or write, the page."""
    from tests.documents.report import page

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run: the shape of the page, not figures")
    parser.add_argument(
        "--seed", type=int, default=HELD_OUT_SEED, help=f"of the invented set ({DEV_SEED}: the one tuned on)"
    )
    parser.add_argument("--write", type=Path, help="write the page to this file")
    parser.add_argument("--only", choices=("own", "dev", "timbres"), help="read one set and list what is wrong")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    if not fonts_present():
        raise SystemExit("no Liberation or DejaVu fonts: the invoices cannot be drawn here")
    counts = QUICK if chosen.quick else FULL

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    if chosen.only == "timbres":
        print(timbres(chosen.seed, {level: counts[level] for level in ("light", "medium")}, tell))
        return
    stand = Stand()
    try:
        if chosen.only:
            scores = (
                development_set(stand, tell) if chosen.only == "dev" else own_set(stand, chosen.seed, counts, tell)[0]
            )
            assert scores is not None
            print(*scores.wrong, sep="\n")
            from tests.documents.report import table

            print(table(scores))
            return
        own, pictures = own_set(stand, chosen.seed, counts, tell)
        seconds, stand.seconds = stand.seconds, Seconds()
        report = {
            "own": own, "dev": development_set(stand, tell),
            "close_ups": close_ups(stand, chosen.seed, 3 if chosen.quick else 12),
            "forged": forged(stand, chosen.seed, 1 if chosen.quick else 2),
            "pdfs": pdfs(stand, chosen.seed, 3 if chosen.quick else 6),
            "others": others(stand, chosen.seed, 4 if chosen.quick else 12),
            "compared": compared(stand, pictures), "seconds": seconds,
            "memory": stand.memory,
            "seed": chosen.seed, "quick": chosen.quick,
            "machine": f"{platform.machine()}, Python {platform.python_version()}", "at": datetime.now(UTC),
        }  # fmt: skip
    finally:
        stand.close()
    text = page(report)
    if chosen.write is not None:
        chosen.write.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
