"""The read API: what is stored, over HTTP. It has no way to write."""
