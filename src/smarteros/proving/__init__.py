"""The proof: scripted customers, faults at every boundary, and a count of what the customers saw."""
