"""What the GitHub Action does with the backups of a team that has no server."""
