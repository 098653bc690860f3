"""`python -m community_metrics.jobs.backfill [--only METRIC_ID] [--from YYYY-MM-DD]`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("backfill"))
