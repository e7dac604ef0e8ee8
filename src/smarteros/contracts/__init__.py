"""Contracts: models, loader, lint, scenarios, exporters. Pure, no network."""
