"""SmarterOS: contracts that run sales, support and FAQ bots for many small shops."""
