"""The rules of lending: money, schedules, aggregates, decisions.

Plain Python: no IO, no clock, no randomness, no float.
"""
