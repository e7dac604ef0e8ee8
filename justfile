# Start the demo: PostgreSQL, the stand-ins, SmarterOS, three shops.
dev *options:
    uv run smos demo {{options}}

# Everything that must pass before a change lands, except the tests.
check:
    uv run ruff format --check
    uv run ruff check
    uv run pyright
    uv run pyright -p tests
    uv run lint-imports
    uv run smos contract lint contracts
    uv run python -m tests.generated --check

# All tests, a process for each core and one more (`-n 0`: all of them in one).
test *options:
    uv run pytest {{options}}

# Write the generated files anew.
generate:
    uv run python -m tests.generated

# The docs site, into .site: every link and anchor must lead somewhere.
docs:
    NO_MKDOCS_2_WARNING=1 uv run --group docs mkdocs build --strict

# Measure (writes docs/benchmarks.md).
bench *options:
    uv run smos bench --write docs/benchmarks.md {{options}}

# Measure what keeping shops apart costs a turn, and what one shop's flood does to another's answers (an idle machine).
bench-isolation:
    uv run python -m smarteros.bench.isolation
    uv run python -m smarteros.bench.flood

# Nothing lost, nothing doubled, whatever is killed: the long version (half an hour; see docs/proof.md).
prove *options:
    uv sync --group local-llm && uv run --group local-llm pytest tests/unit/agents/llm/test_llm_local_server.py
    uv run smos prove --turns 10000 --kills 320 {{options}}

# The generated workflows on the real n8n: installed once (3 GB, minutes), then every scenario of the contracts.
prove-n8n *options:
    SMOS_INSTALL_N8N=1 uv run pytest -n 0 tests/e2e/test_n8n.py {{options}}

# A shop moves to its own installation and back while its customers write, and the command dies before every step.
prove-dedicated *options:
    SMOS_PROVE_DEDICATED=1 uv run pytest -n 0 tests/e2e/test_dedicated.py {{options}}

# What is published, in dist/: both wheels, all they need with hashes, and the bill of materials (CycloneDX).
wheels:
    rm -rf dist
    uv build --all-packages
    uv export --quiet --locked --no-default-groups --all-extras --no-emit-workspace --output-file dist/requirements.txt
    uv run python -m tests.supply_chain dist/sbom.cdx.json

# Measure how long a shop stands still when it moves to its own installation (prints the table of docs/dedicated.md).
bench-dedicated *options:
    uv run python -m tests.dedicated_bench {{options}}

# The wheels in a new environment, away from the source tree: `smos init`, and the demo answers a customer.
prove-wheel *options:
    SMOS_PROVE_WHEEL=1 uv run pytest -n 0 tests/unit/project/test_wheels.py {{options}}

# Measure reading documents, on invented invoices and on the development set (writes docs/benchmarks-documents.md).
bench-documents *options:
    uv run python -m tests.documents.bench --write docs/benchmarks-documents.md {{options}}

# Measure the console's list with ten thousand conversations in a real browser (prints the table of docs/console.md).
bench-console *options:
    uv run python -m tests.console_bench {{options}}

# Measure how well the embedded brain understands (writes docs/agent-evaluation.md; some minutes).
agent-report:
    uv run --group agent-report python -m tests.agent_report --write docs/agent-evaluation.md
