"""`python -m community_metrics` is the `community-metrics` program."""

from community_metrics.cli.main import main

if __name__ == "__main__":
    main()
