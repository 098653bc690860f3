"""The certificate: first request, renewal, a new host, an unreachable authority, a wrong DNS record."""

from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.host.addresses import API_ADDRESS, MAIN
from tests.host.deployment import API_HOST
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.box import Box
    from tests.host.world import World

UNIT = "community-metrics-certificate"
HEALTH = "/api/v1/health"
SIX_DAYS_S = 6 * 86_400
ISSUE_S = 60
CLOCK = f"/run/systemd/system/{UNIT}.service.d/90-clock.conf"
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


@pytest.fixture(scope="module")
def installed(world: World, make_module_box: Callable[..., Box]) -> Iterator[Box]:
    """A box for these tests; the shared one needs its certificate."""
    made = make_module_box(installed=True)
    made.boot()
    made.stop_collecting()
    made.take_address()
    yield made
    remove_certificates(world, made)
    world.point_name_at(API_ADDRESS)
    world.acme.restart()


@pytest.fixture
def bare(world: World, installed: Box) -> Box:
    """The box without a certificate, with an empty bucket and no failed requests."""
    world.point_name_at(API_ADDRESS)
    world.acme.restart()
    remove_certificates(world, installed)
    return installed


def remove_certificates(world: World, box: Box) -> None:
    """Remove the certificate from the bucket and the box, which then serves its placeholder."""
    box.succeeds(f"systemctl stop {UNIT}.timer {UNIT}.service")  # the service may be storing one
    bucket = world.deployment.facts["certificates_bucket"]
    world.client("s3").delete_object(Bucket=bucket, Key=stored_as())
    box.succeeds(
        f"rm -rf {CLOCK} /etc/letsencrypt "
        "/run/community-metrics/certificate.json /var/lib/community-metrics/tls && "
        "systemctl daemon-reload && systemctl restart nginx"
    )


def start_managing(box: Box) -> None:
    """Start the timer and the service of the certificate, as after a boot."""
    box.succeeds(f"systemctl start {UNIT}.timer && systemctl start --no-block {UNIT}.service")


def wait_for_certificate(world: World, box: Box) -> None:
    """Wait until a client that trusts only the authority gets a response; else fail with the unit's log."""
    try:
        eventually(lambda: world.get(HEALTH).raise_for_status(), ISSUE_S)
    except httpx.HTTPError as error:
        pytest.fail(f"no certificate: {error}\n{box.journal(UNIT, lines=60)}")


def run_timer(box: Box) -> None:
    """Start the service, as the timer does after twelve hours."""
    box.succeeds(f"systemctl start --wait {UNIT}.service", limit_s=ISSUE_S)


def retry_now(box: Box) -> None:
    """Restart the service, which resets its back-off."""
    box.succeeds(f"systemctl stop {UNIT}.service && systemctl start --no-block {UNIT}.service")


def set_clock(box: Box, ahead: str) -> None:
    """Move the clock of the certificate's program only."""
    library = box.succeeds(f"ls {FAKETIME}").strip()
    lines = ["[Service]", f"Environment=LD_PRELOAD={library} FAKETIME={ahead} FAKETIME_DONT_FAKE_MONOTONIC=1"]
    box.succeeds(
        f"mkdir -p {CLOCK.rpartition('/')[0]} && printf '%s\\n' {' '.join(map(repr, lines))} >{CLOCK}"
    )
    box.succeeds("systemctl daemon-reload")


def served(world: World, address: str = API_ADDRESS) -> x509.Certificate:
    """Return the certificate that is served for the API's name, without verification."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        world.clients,
        socket.create_connection((address, 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=API_HOST) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der
    return x509.load_der_x509_certificate(der)


def is_placeholder(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject


def stored_as() -> str:
    return f"certificates/{API_HOST}.tar.gz"


def is_stored(world: World) -> bool:
    bucket = world.deployment.facts["certificates_bucket"]
    found = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=stored_as())
    return bool(found["KeyCount"])


def orders(world: World) -> int:
    """Return the number of certificate orders at the authority."""
    return world.acme.log.count("/order-plz")


def test_no_certificate_is_requested_before_the_name_points_to_the_host(
    world: World, bare: Box, make_box: Callable[..., Box]
) -> None:
    other, before = make_box(installed=True), orders(world)
    other.boot()
    other.stop_collecting()
    other.succeeds(f"systemctl stop {UNIT}.timer {UNIT}.service")  # it would request a certificate too
    world.point_name_at(None)
    start_managing(bare)
    eventually(lambda: has_logged(bare, f"{API_HOST} has no address"), 40)

    world.point_name_at(MAIN)
    retry_now(bare)
    eventually(lambda: has_logged(bare, f"points to {MAIN}, which does not answer on port 80"), 60)

    world.point_name_at(other.address)
    retry_now(bare)
    eventually(lambda: has_logged(bare, f"points to {other.address}, which is another machine"), 60)
    assert orders(world) == before
    assert is_placeholder(served(world))

    world.point_name_at(API_ADDRESS)
    wait_for_certificate(world, bare)
    assert orders(world) > before


def test_while_the_authority_is_unreachable_the_host_serves_and_retries(world: World, bare: Box) -> None:
    world.stop("acme")
    try:
        start_managing(bare)
        eventually(lambda: has_logged(bare, "is unreachable; no request is sent"), 60)
        assert is_placeholder(served(world))
        assert bare.succeeds("systemctl --failed --no-legend --plain") == ""
        assert bare.succeeds("systemctl is-system-running").strip() == "running"
    finally:
        world.start("acme")

    wait_for_certificate(world, bare)


def test_a_new_host_restores_the_certificate_without_a_request(
    world: World, bare: Box, make_box: Callable[..., Box]
) -> None:
    start_managing(bare)
    wait_for_certificate(world, bare)
    eventually(lambda: is_true(is_stored(world)), 10)
    before = orders(world)
    successor = make_box(installed=True)

    successor.boot()
    successor.stop_collecting()

    eventually(lambda: successor.succeeds("test -e /run/community-metrics/certificate.json"), 40)
    answer = eventually(lambda: world.get(HEALTH, address=successor.address), 10)
    assert (answer.status_code, orders(world)) == (200, before)
    assert served(world, successor.address) == served(world)


def test_a_certificate_that_is_due_is_served_while_the_authority_is_unreachable(
    world: World, bare: Box
) -> None:
    start_managing(bare)
    wait_for_certificate(world, bare)
    bare.succeeds("apt-get update && apt-get install --yes --no-install-recommends faketime", limit_s=120)
    set_clock(bare, "+70d")
    world.stop("acme")
    try:
        bare.succeeds(
            f"rm /run/community-metrics/certificate.json; systemctl start --no-block {UNIT}.service"
        )
        eventually(lambda: has_logged(bare, "is unreachable; no request is sent"), 60)
        status = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    finally:
        world.start("acme")

    # the monitor needs the file for the alarm
    assert datetime.fromisoformat(status["not_after"]) - datetime.now(UTC) < timedelta(days=91)
    assert world.get(HEALTH).status_code == 200


def test_the_first_certificate_is_requested_served_reported_and_stored(world: World, bare: Box) -> None:
    before = world.acme.issued
    assert is_placeholder(served(world))

    start_managing(bare)
    wait_for_certificate(world, bare)

    certificate = served(world)
    assert world.acme.issued == before + 1
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    status = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    assert datetime.fromisoformat(status["not_after"]) == certificate.not_valid_after_utc
    assert bare.succeeds("stat --format=%a /run/community-metrics/certificate.json") == "644\n"
    assert bare.succeeds("stat --format=%a /etc/letsencrypt") == "700\n"
    eventually(lambda: is_true(is_stored(world)), 10)


def test_a_six_day_certificate_is_renewed_at_half_its_lifetime_without_a_gap(world: World, bare: Box) -> None:
    world.acme.restart(SIX_DAYS_S)
    bare.succeeds("apt-get update && apt-get install --yes --no-install-recommends faketime", limit_s=120)
    start_managing(bare)
    wait_for_certificate(world, bare)
    first, issued = served(world), world.acme.issued
    assert first.not_valid_after_utc - first.not_valid_before_utc < timedelta(days=6, hours=1)

    set_clock(bare, "+2d")
    run_timer(bare)
    assert world.acme.issued == issued

    set_clock(bare, "+4d")
    run_timer(bare)
    assert world.acme.issued == issued + 1
    second = eventually(lambda: other_than(first, served(world)), 5)
    assert second.not_valid_after_utc >= first.not_valid_after_utc
    assert world.get(HEALTH).status_code == 200
    status = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    assert datetime.fromisoformat(status["not_after"]) == second.not_valid_after_utc


def other_than(known: x509.Certificate, found: x509.Certificate) -> x509.Certificate:
    assert found.serial_number != known.serial_number
    return found


def has_logged(box: Box, text: str) -> bool:
    """Check that the certificate's unit has logged this text since its timer was started."""
    since = box.succeeds(f"systemctl show --property=ActiveEnterTimestamp --value {UNIT}.timer").strip()
    assert text in box.succeeds(f"journalctl --quiet --output=cat --unit={UNIT} --since '{since}'")
    return True


def is_true(found: bool) -> bool:
    assert found
    return found
