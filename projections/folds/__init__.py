"""How events change the rows of each read model: one module a family, no queries for screens.

Each fold loads the rows that a batch touches, applies the batch in memory and saves what changed in
a statement or two. Starting empty, the same folds fill the tables of a rebuild.
"""
