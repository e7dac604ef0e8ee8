"""Stand-ins for the outside systems SmarterOS talks to; exact on the wire, never imported by the product."""
