"""The rehearsal: the real CDK CLI deploys to moto's server on loopback, and boto3 reads it all back.

What it does not prove is listed in `adapters.py` and in docs/deploy.md.
"""
