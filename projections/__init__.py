"""Read models: their tables, how events change them, the queries on them. Opens no connections."""
