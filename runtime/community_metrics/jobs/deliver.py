"""`python -m community_metrics.jobs.deliver [--dry-run] [--again ID PERIOD]`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("deliver"))
