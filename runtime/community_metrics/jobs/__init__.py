"""The jobs as programs: `python -m community_metrics.jobs.<name>` is a command of `community-metrics`."""
