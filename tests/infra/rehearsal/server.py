"""moto's server with our adapters, on loopback: `python -m tests.infra.rehearsal.server PORT`."""

from __future__ import annotations

import sys

from moto import server
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from tests.infra.rehearsal import (
    adapters,
    adapters_host,
    adapters_network,
    adapters_pipeline,
    adapters_serverless,
)

# importing them defines their classes
MODULES = (adapters_host, adapters_network, adapters_pipeline, adapters_serverless)


def offered() -> list[type]:
    """Return the adapters as direct subclasses of moto's model; moto uses the last one of a type."""
    assert parsing  # importing it loads moto's own types, so that ours come after them
    return [
        type(adapter.__name__, (adapter, CloudFormationModel), {})
        for adapter in adapters.Adapter.__subclasses__()
    ]


if __name__ == "__main__":
    KEPT = offered()  # moto has only weak references to its subclasses
    adapters.serve_at(int(sys.argv[1]))
    server.main(["-H", "127.0.0.1", "-p", sys.argv[1]])
