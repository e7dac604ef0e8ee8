"""The encoders of a process: loaded in the background, shared by all tenants."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import structlog

from smarteros.domain.errors import ConfigError
from smarteros.embedders.e5 import E5Embedder
from smarteros.embedders.kept import KeptEmbedder, VectorFile
from smarteros.embedders.protocol import Embedder, Vectors
from smarteros.embedders.use import UseEmbedder

_log = structlog.get_logger()

EncoderName = Literal["use", "e5"]
BrainTier = Literal["words", "lite", "full"]
# e5 is ready in 40 ms, USE in a second.
ENCODERS_OF: Mapping[BrainTier, tuple[EncoderName, ...]] = {"words": (), "lite": ("use",), "full": ("e5", "use")}
Loaders = Mapping[EncoderName, Callable[[], Embedder]]
_REMEMBERED = 256


class Embedders:
    """Loads the encoders of a tier on a thread of its own, once started; until one is ready, ``ready`` returns None.

    An encoder that cannot run on this machine is logged and done without.
    """

    def __init__(
        self,
        tier: BrainTier = "full",
        *,
        cache: Path | None = None,
        loaders: Loaders | None = None,
    ) -> None:
        """``cache`` is the directory for vectors that are kept and for USE's table; without it all is in memory."""
        self.tier: BrainTier = tier
        self._file = None if cache is None else VectorFile(cache / "vectors.sqlite")
        table = None if cache is None else cache / "use-table"
        self._loaders: Loaders = loaders or {"use": partial(UseEmbedder, table), "e5": E5Embedder}
        self._ready: dict[EncoderName, Embedder] = {}
        self._kept: dict[EncoderName, Embedder] = {}
        self._done = threading.Event()
        self._starting = threading.Lock()
        self._started = False

    def start(self) -> None:
        """Begin to load, once; returns at once."""
        with self._starting:
            if not self._started:
                self._started = True
                threading.Thread(target=self._load, name="encoders", daemon=True).start()

    def ready(self, name: EncoderName) -> Embedder | None:
        """Return an encoder for what customers write now; the vectors of the last queries are remembered."""
        return self._ready.get(name)

    def kept(self, name: EncoderName) -> Embedder | None:
        """Return the same encoder for texts that come again (examples, passages): their vectors are kept on disk."""
        return self._kept.get(name)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Start, and wait until every encoder is loaded or given up; tells whether that is so."""
        self.start()
        return self._done.wait(timeout_s)

    def _load(self) -> None:
        try:
            for name in ENCODERS_OF[self.tier]:
                try:
                    embedder = self._loaders[name]()
                except ConfigError as error:
                    _log.warning("encoder_unavailable", encoder=name, detail=error.operator_message)
                    continue
                self._kept[name] = embedder if self._file is None else KeptEmbedder(embedder, self._file)
                self._ready[name] = RememberingEmbedder(embedder)
        finally:
            self._done.set()


class RememberingEmbedder:
    """Embedder that remembers the vectors of the last queries: a turn asks for the same text several times."""

    def __init__(self, embedder: Embedder, *, most: int = _REMEMBERED) -> None:
        self._embedder = embedder
        self._most = most
        self._lock = threading.Lock()
        self._rows: OrderedDict[str, Vectors] = OrderedDict()

    @property
    def name(self) -> str:
        """Name of the encoder behind."""
        return self._embedder.name

    @property
    def dimension(self) -> int:
        """Number of columns."""
        return self._embedder.dimension

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what customers write; see ``Embedder.queries``."""
        with self._lock:
            known = {text: self._rows[text] for text in texts if text in self._rows}
            for text in known:
                self._rows.move_to_end(text)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= dict(zip(missing, self._embedder.queries(missing), strict=True))
        with self._lock:
            for text in missing[: self._most]:
                self._rows[text] = known[text]
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else self._embedder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts to be found; see ``Embedder.passages``."""
        return self._embedder.passages(texts)
