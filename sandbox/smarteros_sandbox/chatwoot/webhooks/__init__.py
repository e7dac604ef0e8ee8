"""How events leave Chatwoot: two dispatch paths, a job queue and signed HTTP deliveries."""
