"""``smos documents``: read invoices without a running server."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarteros.cli.options import DataDir, settings_with
from smarteros.domain.errors import RejectedInputError, SmosError

if TYPE_CHECKING:
    from smarteros.documents.protocol import OcrEngine
    from smarteros.documents.reader import DocumentReader
    from smarteros.documents.reading import DocumentResult
    from smarteros.domain.tenants import Tenant

app = typer.Typer(help="Read photographed and PDF invoices.", no_args_is_help=True)


@app.callback()
def documents() -> None:
    """Read photographed and PDF invoices."""


@app.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="JPEG, PNG, WebP, HEIC or PDF files.")],
    tenant: Annotated[
        str | None, typer.Option(help="Read as this shop: its OCR engine, its RUT on the timbre.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    timbre_keys: Annotated[
        Path | None,
        typer.Option(help="Keys of a test authority for timbres (JSON); SII's stay.", exists=True, dir_okay=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Read invoices: kind, fields with their sources, the timbre, and what is missing.

    Works without a server and, without --tenant, without a database. A file that cannot be read is reported in its
    place; the exit code is 1 only when no file could be read.
    """
    with _reader(tenant, timbre_keys, data_dir) as (reader, engine, shop):
        results = [_one(path, reader, engine, shop) for path in files]
    if as_json:
        typer.echo(json.dumps([_as_json(path, found) for path, found in results], ensure_ascii=False, indent=2))
    else:
        for path, found in results:
            typer.echo(_as_text(path, found))
    if all(isinstance(found, SmosError) for _, found in results):
        raise typer.Exit(1)


@app.command()
def cost(
    tenant: Annotated[str, typer.Option(help="The shop.", show_default=False)],
    month: Annotated[str | None, typer.Option(help="Of Chile's calendar: 2026-11. The present one by default.")] = None,
    limit_usd_cents: Annotated[
        int | None, typer.Option(min=0, help="Set the most a month may cost; 0 leaves the free images.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show what Cloud Vision has cost a shop in a month, and set the limit after which this machine reads."""
    from smarteros.bootstrap import open_services
    from smarteros.documents.vision_books import PostgresVisionBooks, month_by
    from smarteros.domain.vision import cost_of
    from smarteros.kit.clock import SystemClock

    with open_services(settings_with(data_dir)) as services:
        shop = services.tenants.get(tenant)
        if limit_usd_cents is not None:
            shop = shop.model_copy(update={"vision_monthly_usd_cents": limit_usd_cents})
            services.tenants.save(shop)
        asked = month or month_by(SystemClock())()
        images = PostgresVisionBooks(services.database).images(shop.scope, asked)
    cents = shop.vision_monthly_usd_cents
    limit = "no limit" if cents is None else f"limit US$ {cents / 100:.2f}"
    typer.echo(f"{asked}: {images} images, US$ {cost_of(images) / 1_000_000:.2f}, {limit}")


@contextmanager
def _reader(
    tenant: str | None, timbre_keys: Path | None, data_dir: Path | None
) -> Generator[tuple[DocumentReader, OcrEngine, Tenant | None]]:
    from smarteros.documents.local import DocumentWorker, LocalOcrEngine
    from smarteros.documents.reader import DocumentReader
    from smarteros.documents.timbre.keys import with_test_keys
    from smarteros.documents.timbre.verify import TimbreVerifier

    settings = settings_with(data_dir)
    verifier = TimbreVerifier(with_test_keys(timbre_keys or settings.timbre_keys))
    if tenant is not None:
        from smarteros.bootstrap import open_services

        with open_services(settings) as services:
            shop = services.tenants.get(tenant)
            of_shop = services.reader
            yield replace(of_shop, verifier=verifier), of_shop.engine_of(shop), shop
        return
    worker = DocumentWorker(job_seconds=60.0)  # the first page also loads the models
    local = LocalOcrEngine(worker)
    reader = DocumentReader(lambda _tenant: local, worker, verifier)
    try:
        yield reader, local, None
    finally:
        reader.close()


def _one(
    path: Path, reader: DocumentReader, engine: OcrEngine, shop: Tenant | None
) -> tuple[Path, DocumentResult | SmosError]:
    from smarteros.documents.guards import MAX_BYTES

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if shop is None:
            return path, reader.result(data, engine)
        return path, reader.result(data, engine, tenant_rut=shop.rut, catalogue=reader.catalogue_of(shop))
    except OSError as error:
        return path, RejectedInputError("file_unreadable", f"{path}: {error.strerror}")
    except SmosError as error:
        return path, error


def _as_json(path: Path, found: DocumentResult | SmosError) -> dict[str, Any]:
    if isinstance(found, SmosError):
        return {"file": str(path), "error": {"code": found.code, "message": found.operator_message}}
    return {"file": str(path), **found.as_json()}


def _as_text(path: Path, found: DocumentResult | SmosError) -> str:
    if isinstance(found, SmosError):
        return f"{path}: {found.operator_message} [{found.code}]"
    shown = found.as_json()
    lines = [f"{path}: {found.kind}, confidence {found.confidence:.2f}"]
    lines += [f"  {name:15} {f.value}  ({f.confidence:.2f}, {f.source})" for name, f in found.fields.items()]
    lines += [f"  product         {_product(p.model_dump())}" for p in found.products]
    lines.append(f"  timbre          {found.timbre.state.replace('_', ' ')}: {found.timbre.sentence}")
    lines += [f"  look at it      {flag['sentence']}" for flag in shown["fraud"]]
    lines += [f"  missing         {reason['sentence']}" for reason in shown["reasons"]]
    return "\n".join(lines)


def _product(product: dict[str, Any]) -> str:
    size = f", {product['size']}" if product["size"] else ""
    return f"{product['quantity'] or '?'} x {product['name']}{size}: {product['amount'] or '?'}"
