"""Rates that are shown to people: what a loan really costs a year. Nothing here prices a loan."""
