"""One loan as an aggregate: its terms, its rows, its state and how events change it."""
