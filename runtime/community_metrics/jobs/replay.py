"""`python -m community_metrics.jobs.replay --day YYYY-MM-DD [--only METRIC_ID]`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("replay"))
