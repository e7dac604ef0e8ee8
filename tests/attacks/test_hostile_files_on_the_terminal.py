"""``smos documents read`` given the hostile files: one line each with the reason, and the honest file is read."""

from __future__ import annotations

import json
from pathlib import Path

from tests.attacks.hostile_documents import hostile, receipt
from typer.testing import CliRunner

from smarteros.cli.main import app

REFUSED = {
    "png of 400 megapixels": "image_too_large",
    "png whose comment unpacks to 100 MB": "image_unreadable",
    "truncated jpeg": "image_unreadable",
    "heic of noise": "image_unreadable",
    "svg": "document_unsupported",
    "tiff": "document_unsupported",
    "zip": "document_unsupported",
    "truncated pdf": "pdf_unreadable",
    "pdf without a page": "pdf_unreadable",
}


def test_each_hostile_file_is_refused_with_its_reason_and_the_others_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"{at}.jpg" for at in range(len(REFUSED))]
    for path, name in zip(paths, REFUSED, strict=True):
        path.write_bytes(hostile(name))
    honest = tmp_path / "honest.jpg"
    honest.write_bytes(receipt())
    ran = CliRunner().invoke(app, ["documents", "read", "--json", *map(str, paths), str(honest)])

    assert ran.exit_code == 0, ran.output
    told = ran.stdout
    for name, code in REFUSED.items():
        assert code in told, name
    assert "48213" in told
    assert len(json.loads(told)) == len(REFUSED) + 1
    assert "Traceback" not in ran.output
