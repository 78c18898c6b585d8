"""Faults injected into the running system, and what must hold after each."""
