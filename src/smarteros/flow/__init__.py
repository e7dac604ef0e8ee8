"""The life of one message: one durable workflow, one file per step."""
