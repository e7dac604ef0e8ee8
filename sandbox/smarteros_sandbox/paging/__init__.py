"""Stand-ins of those who are told of alerts: Slack, PagerDuty, the WhatsApp Cloud API, a dead-man's switch."""
