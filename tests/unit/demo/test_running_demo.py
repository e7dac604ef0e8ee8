"""Finding the demo that runs on a data directory."""

from __future__ import annotations

from pathlib import Path

from smarteros.demo.stack import running_demo


def test_looking_for_a_demo_marks_no_directory_as_one(tmp_path: Path) -> None:
    (tmp_path / "smos-demo.json").write_text('{"url": "http://127.0.0.1:9"}')

    assert running_demo(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["smos-demo.json"], "--fresh empties directories with a lock"
