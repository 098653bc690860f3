"""`python -m community_metrics.jobs.restore_drill [SOURCE] [--backup ID]`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("backup drill"))
