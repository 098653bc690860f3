"""`python -m community_metrics.jobs.update_all [--lookback-weeks N] [--only METRIC_ID]`."""

from community_metrics.cli.jobs import main_of

if __name__ == "__main__":
    main_of("update_all")
