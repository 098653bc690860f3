"""The addresses in the world."""

from __future__ import annotations

BRIDGE = "lan"
BRIDGE_MAC = "02:00:00:00:00:01"
MAIN, LANCEDB, ACME, PACKAGES, WHEELS = (f"10.77.0.{number}" for number in range(1, 6))
METADATA = "169.254.169.254"
API_ADDRESS = "10.77.0.10"  # the Elastic IP, independent of any box
BOXES = tuple(f"10.77.0.{number}" for number in range(11, 51))
# so many that none has 30 requests waiting, which nginx refuses, where a busy machine starts the API in 20 s
CLIENTS = tuple(f"10.77.0.{number}" for number in range(101, 181))
NAMES = {
    "packages.rehearsal.test": PACKAGES,
    "wheels.rehearsal.test": WHEELS,
    "registries.rehearsal.test": MAIN,
    "lancedb.rehearsal.test": LANCEDB,
    "acme.rehearsal.test": ACME,
}
