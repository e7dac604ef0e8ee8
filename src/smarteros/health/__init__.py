"""What the contracts' health checks saw, and what a month of it was worth."""
