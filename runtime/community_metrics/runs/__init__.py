"""One execution of a job: take the lease, gather, merge, record the outcome."""
