"""The shop's UCP endpoint: what any visitor's agent may ask of it, without credentials (https://ucp.dev)."""
