"""A turn played again from its record: what would be decided and said, without asking or telling anybody."""
