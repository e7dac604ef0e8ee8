"""Memory of the whole brain with so many tenants in use: ``python -m tests.agent_memory 50``.

Each tenant has a knowledge base and thirty examples of its own, and is asked two questions. Prints megabytes.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path

from smarteros.agents.evaluation.asking import answers_to, resident_mb
from smarteros.agents.evaluation.model import LabelledLine
from smarteros.agents.memory import give_back_freed_memory
from smarteros.agents.native import NativeAgent
from smarteros.agents.training.memory import MemoryExampleStore
from smarteros.domain.examples import LabelledExample, ModelReport
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.loading import Embedders
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore
from tests.agent_sets import contract_examples
from tests.unit.agents.talk import TEXTS

_EXAMPLES = 30
_ASKED = (
    LabelledLine(text="¿cuánto sale el despacho a Calbuco?", intent="faq_shipping"),
    LabelledLine(text="¿tienen gorros de lana?", intent="product_query"),
)


def main() -> None:
    # Vectors of passages may still be written when everything is measured.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        encoders = Embedders("full", cache=Path(folder))
        knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=encoders)
        store = MemoryExampleStore()
        agent = NativeAgent(knowledge, extra_examples=contract_examples(), embedders=encoders, examples=store)
        agent.shared_model()
        documents = tuple(parse_markdown(name, text) for name, text in TEXTS.items())
        for number in range(int(sys.argv[1])):
            scope = TenantScope(tenant_id=f"TENANT_{number}")
            knowledge.replace(scope, documents)
            own = tuple(
                LabelledExample(
                    text=f"pregunta {n} del barrio {number} por el flete a la caleta {n}", intent="faq_shipping"
                )
                for n in range(_EXAMPLES)
            )
            store.publish(scope, own, ModelReport(before=1, after=1), note="", revision=0)
            agent.prepare(scope.tenant_id)
            answers_to(agent, scope.tenant_id, _ASKED)
        gc.collect()
        give_back_freed_memory()
        sys.stdout.write(f"{resident_mb()}\n")


if __name__ == "__main__":
    main()
