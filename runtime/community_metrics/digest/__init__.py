"""The weekly, monthly and quarterly digest: one renderer for each format. They compute no number."""
