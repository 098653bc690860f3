"""The rehearsal of the host: the instance of the deployment, booted in a systemd-nspawn container (a box).

The container is in a private network (the world) with every service that the host uses. The fixtures
(conftest.py):

- `world` (session): the network and its services. `world.client("s3")` is boto3 on its AWS, `world.aws`
  records calls and signals; `world.registries` (Replay), `world.lancedb` (Enterprise: `faults`, `log`),
  `world.imds`, `world.acme`, `world.dns`. `world.stop("lancedb")` and `world.start("lancedb")` stop and start
  a service (names in world.py). `world.get("/api/v1/health")` requests the API by its name with verified
  TLS, with `source=CLIENTS[3]` from another client address; `world.clients` is the clients' network.
- `box` (session): the shared box. It has the API's address, a certificate and the rows of its first run. Its
  disk is the result of the user data, possibly cached (image.py). test_boot.py has its own, without a cache.
- `make_box` (function), `make_module_box` (module): factories of more boxes, removed afterwards; `make_box()`
  has a bare disk, `make_box(installed=True)` the disk after the user data.
- on a box: `box.run("systemctl …")`, `box.succeeds(…)`, `box.wait_until(…)`, `box.journal(unit)`,
  `box.file("/etc/…")` (the path on the disk, from outside; /run and /tmp are tmpfs of the box),
  `box.bootstrap()`, `box.power_off()`, `box.cut_power()`, `box.boot()`, `box.reboot()`.

Programs on a box find these services by environment variables only, which systemd sets for every unit:
AWS_ENDPOINT_URL, CM_SOURCE_URL_*, CM_ACME_DIRECTORY (the CA's directory; certbot's --server), and a test CA
in the trust store. `box.run(…)` starts with an empty environment, like a login shell before any profile.
"""
