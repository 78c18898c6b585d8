"""Benchmarks: they print their tables and write `benchmarks/results*.json`. No test runs them."""
