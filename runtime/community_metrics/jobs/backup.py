"""`python -m community_metrics.jobs.backup [TARGET] [--write-only] [--keep-all]`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("backup create"))
