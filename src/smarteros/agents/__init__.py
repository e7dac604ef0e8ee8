"""Agents: they read a message and return a Decision."""
