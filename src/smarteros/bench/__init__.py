"""Measuring an installation: load from outside, figures with the bare limits of the same machine beside them."""
