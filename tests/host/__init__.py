"""The host's rehearsal: the box that EC2 boots, booted here with systemd, in a world of private addresses.

What a test may use (fixtures in conftest.py, everything else hangs on them):

- `world` (session): the world. `world.client("s3")` is boto3 on its AWS, `world.aws` notes calls and signals;
  `world.registries` (Replay), `world.lancedb` (Enterprise, with `faults` and `log`), `world.imds`,
  `world.acme`, `world.dns`. `world.stop("lancedb")` and `world.start("lancedb")` take a service away and
  bring it back (names in world.py). `world.get("/api/v1/health")` asks the API by its name, verified TLS,
  `source=CLIENTS[3]` from another client's address; `world.clients` is their network (`with world.clients:`).
- `box` (session): the shared box, holding the API's address, with its certificate and the rows of its first
  run. Its disk is what the user data made of a bare one; it may be a kept one (image.py). test_boot.py has
  another, bare before the test.
- `make_box` (function), `make_module_box` (module): a factory of further boxes, gone afterwards; `make_box()`
  is bare, `make_box(installed=True)` starts from the disk that the user data made.
- on a box: `box.run("systemctl …")`, `box.succeeds(…)`, `box.wait_until(…)`, `box.journal(unit)`,
  `box.file("/etc/…")` (a path on the disk as seen from here; /run and /tmp are the box's own tmpfs),
  `box.bootstrap()`, `box.power_off()`, `box.cut_power()`, `box.boot()`, `box.reboot()`.

A box's programs find the world by variables alone, which systemd gives to every unit: AWS_ENDPOINT_URL,
CM_SOURCE_URL_*, CM_ACME_DIRECTORY (the CA's directory; certbot's --server), and a test CA in the trust store.
`box.run(…)` starts with an empty environment, like a login shell before any profile.
"""
