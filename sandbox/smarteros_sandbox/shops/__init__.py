"""The demo shops: one folder of data per tenant, read by every stand-in."""
