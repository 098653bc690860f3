"""The CDK app's parts: deployment settings in, stacks out. Nothing here imports `community_metrics`."""
