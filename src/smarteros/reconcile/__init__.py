"""Messages whose webhook never came: found by asking the channel, then treated as if it had come."""
