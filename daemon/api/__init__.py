"""Alive, ready, metrics, incidents, ask: the HTTP endpoint."""
