"""The bodies of the API, field by field: what each means, in which unit."""
