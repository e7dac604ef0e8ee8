"""The models of the tenants asked last: made when they are needed, improved in the background, soon forgotten."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from smarteros.agents.intents import IntentModel
from smarteros.agents.memory import give_back_freed_memory
from smarteros.agents.shared_model import SharedModel
from smarteros.agents.training.protocol import ExampleStore
from smarteros.domain.examples import LabelledExample
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.loading import EncoderName

_log = structlog.get_logger()

# How long a change by another process may stay unseen here; a turn asks several times and the store once.
FRESH_FOR_S = 0.25

Titles = Callable[[TenantScope], tuple[LabelledExample, ...]]


@dataclass(frozen=True)
class _Made:
    """A tenant's model, and what it was made from."""

    shared: SharedModel
    revision: int
    titles: tuple[LabelledExample, ...]
    model: IntentModel

    def holds(self, shared: SharedModel, revision: int, titles: tuple[LabelledExample, ...]) -> bool:
        return self.shared is shared and self.revision == revision and self.titles == titles


class TenantModels:
    """Gives each tenant a model of the shared examples and its own. Never one tenant's to another."""

    def __init__(
        self,
        store: ExampleStore,
        titles: Titles,
        *,
        most_tenants: int = 256,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``titles`` returns examples that follow from a tenant's knowledge base; those of the store count more."""
        self._store = store
        self._titles = titles
        self._most_tenants = most_tenants
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._asked_at: dict[str, float] = {}
        # A daemon thread and not an executor, which would hold up the end of the process.
        self._waiting: queue.Queue[tuple[TenantScope, _Made]] = queue.Queue()
        self._thread: threading.Thread | None = None

    def of(self, scope: TenantScope, shared: SharedModel) -> IntentModel:
        """Return the tenant's model: of what is known now, made within a second with the quick encoders if need be.

        One that also uses the dear encoders is made in the background and takes its place.
        """
        now = self._monotonic()
        with self._lock:
            known = self._made.get(scope.tenant_id)
            fresh = now - self._asked_at.get(scope.tenant_id, -FRESH_FOR_S) < FRESH_FOR_S
            if known is not None and known.shared is shared and fresh:
                self._made.move_to_end(scope.tenant_id)
                return known.model
        revision, titles = self._store.revision(scope), self._titles(scope)
        with self._lock:
            self._asked_at[scope.tenant_id] = now
            known = self._made.get(scope.tenant_id)
            if known is not None and known.holds(shared, revision, titles):
                self._made.move_to_end(scope.tenant_id)
                return known.model
        made = self._make(scope, shared, revision, titles, shared.quick)
        self._keep(scope, made)
        if made.model is not shared.model and made.model.encoders != shared.encoders:
            self._improve_soon(scope, made)
        return made.model

    def best(self, scope: TenantScope, shared: SharedModel) -> IntentModel:
        """Return the tenant's model with all encoders, however long that takes."""
        made = self._make(scope, shared, self._store.revision(scope), self._titles(scope), shared.encoders)
        self._keep(scope, made)
        return made.model

    def wait_until_improved(self) -> None:
        """Return when no better model is being made in the background."""
        self._waiting.join()

    def _improve_soon(self, scope: TenantScope, made: _Made) -> None:
        self._waiting.put((scope, made))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tenant-models", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._improve(*self._waiting.get())
            self._waiting.task_done()

    def _improve(self, scope: TenantScope, made: _Made) -> None:
        try:
            with self._lock:
                if self._made.get(scope.tenant_id) is not made:
                    return  # something newer took its place, or it was forgotten
            better = self._make(scope, made.shared, made.revision, made.titles, made.shared.encoders)
            with self._lock:
                if self._made.get(scope.tenant_id) is made:
                    self._made[scope.tenant_id] = better
            give_back_freed_memory()
        except Exception as error:  # the quick model stays; a thread's error would be seen by nobody
            _log.warning("tenant_model_not_improved", tenant=scope.tenant_id, error=type(error).__name__)

    def _make(
        self,
        scope: TenantScope,
        shared: SharedModel,
        revision: int,
        titles: tuple[LabelledExample, ...],
        encoders: Sequence[EncoderName],
    ) -> _Made:
        active = self._store.active(scope) if revision else None
        examples = (*titles, *(active.examples if active else ()))
        if not examples:
            return _Made(shared, revision, titles, shared.model)
        return _Made(shared, revision, titles, shared.extended(shared.labelled(examples), encoders))

    def _keep(self, scope: TenantScope, made: _Made) -> None:
        with self._lock:
            self._made[scope.tenant_id] = made
            self._made.move_to_end(scope.tenant_id)
            while len(self._made) > self._most_tenants:
                self._asked_at.pop(self._made.popitem(last=False)[0], None)
