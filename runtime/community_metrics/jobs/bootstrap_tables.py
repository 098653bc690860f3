"""`python -m community_metrics.jobs.bootstrap_tables [--reset --yes]`."""

from community_metrics.cli.jobs import main_of

if __name__ == "__main__":
    main_of("bootstrap_tables")
