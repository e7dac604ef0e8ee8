"""Simulation of many cells: what a machine that is not there would do, from what was measured on one that is."""
