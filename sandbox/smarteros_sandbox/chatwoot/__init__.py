"""Stand-in Chatwoot: the account API, the public client API and the webhooks of a real one."""
