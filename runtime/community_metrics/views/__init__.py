"""The read model: the only place that reads storage and computes with `series`."""
