"""The tenant's own words: documents, passages, retrieval."""
