"""The project directory of an operator: what ``smos init`` writes, and where commands find it again."""
