"""The encoders of a process come one after the other, and one that cannot come is done without."""

from __future__ import annotations

import threading

from tests.unit.embedders.test_kept_vectors import CountingEmbedder

from smarteros.domain.errors import ConfigError
from smarteros.embedders.loading import Embedders
from smarteros.embedders.protocol import Embedder


def unavailable() -> Embedder:
    raise ConfigError("encoder_unavailable", "no such processor")


def test_nothing_is_loaded_before_it_is_started():
    embedders = Embedders("full", loaders={"use": CountingEmbedder, "e5": CountingEmbedder})
    assert embedders.ready("use") is None
    assert embedders.wait(10)
    assert embedders.ready("use") is not None
    assert embedders.kept("e5") is not None


def test_nobody_waits_for_an_encoder_that_is_still_loading():
    may_load = threading.Event()

    def slow() -> Embedder:
        may_load.wait(10)
        return CountingEmbedder()

    embedders = Embedders("lite", loaders={"use": slow, "e5": unavailable})
    embedders.start()
    assert embedders.ready("use") is None
    may_load.set()
    assert embedders.wait(10)
    assert embedders.ready("use") is not None


def test_the_lite_tier_has_no_e5_and_the_tier_of_words_has_none():
    lite = Embedders("lite", loaders={"use": CountingEmbedder, "e5": CountingEmbedder})
    words = Embedders("words", loaders={"use": CountingEmbedder, "e5": CountingEmbedder})
    assert lite.wait(10)
    assert words.wait(10)
    assert lite.ready("use") is not None
    assert lite.ready("e5") is None
    assert words.ready("use") is None


def test_an_encoder_this_machine_cannot_run_is_done_without():
    embedders = Embedders("full", loaders={"use": CountingEmbedder, "e5": unavailable})
    assert embedders.wait(10)
    assert embedders.ready("use") is not None
    assert embedders.ready("e5") is None
