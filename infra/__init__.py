"""The CDK app: builds the stacks from the deployment settings. Nothing here imports `community_metrics`."""
