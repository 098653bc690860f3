"""`python -m community_metrics.jobs.import_file [--metric METRIC_ID] FILE`."""

from community_metrics.cli.main import load_command, run_app

if __name__ == "__main__":
    run_app(load_command("import"))
