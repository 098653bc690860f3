"""The `community-metrics` program."""
