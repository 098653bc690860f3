"""Bodies in memory: which state of the tables they were built from, and when they are built again."""
