"""SmarterOS: contracts that run sales, support and FAQ bots for many small shops."""

__version__ = "0.1.0"
