"""Delivery of digests to Slack, e-mail and webhooks: what is due, and one file for each kind of target."""
