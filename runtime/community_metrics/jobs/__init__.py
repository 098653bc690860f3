"""Jobs: what runs on a schedule or by hand and writes to the database."""
