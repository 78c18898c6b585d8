"""The rows of the fault matrix, one module each."""
