"""Backups: every table as Parquet files with a manifest, written to a folder or a bucket, and read back."""
