"""The console: where people of the service operator and of the shops see what the bots do, and step in."""
