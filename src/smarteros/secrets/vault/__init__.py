"""Secrets in Vault or OpenBao, key-value engine version 2."""
