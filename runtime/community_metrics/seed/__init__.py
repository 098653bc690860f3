"""History from before the first run: seed files and their rows."""
