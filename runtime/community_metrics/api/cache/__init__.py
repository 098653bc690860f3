"""Response bodies in memory, and the state of the tables that they were built from."""
