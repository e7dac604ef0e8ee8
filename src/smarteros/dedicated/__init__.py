"""One tenant gets an installation of its own, and moves there with all that belongs to it."""
