"""What other programs need to know of the contracts, written in their own languages. Pure, no network."""
