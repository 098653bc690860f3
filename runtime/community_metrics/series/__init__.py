"""Pure functions from stored rows to points, changes, totals and freshness."""
