"""HTTP in: webhooks, agent API, tool API, health, metrics."""
