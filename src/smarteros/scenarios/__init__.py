"""Plays the scenarios of the contracts as a customer would, over HTTP only, against a running stack."""
