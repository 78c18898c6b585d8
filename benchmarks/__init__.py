"""Benchmarks: they print their tables and write them to `benchmarks/results*.json`. No test runs them."""
