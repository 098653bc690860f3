"""The rehearsal: the real CDK CLI deploys to moto's server on loopback, and boto3 reads the result back.

Its limits are listed in `adapters.py` and in docs/deploy.md.
"""
