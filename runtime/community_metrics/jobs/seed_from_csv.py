"""`python -m community_metrics.jobs.seed_from_csv [--path FILE]`."""

from community_metrics.cli.jobs import main_of

if __name__ == "__main__":
    main_of("seed_from_csv")
