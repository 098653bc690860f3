"""The certificate: first issue, renewal, a new box, an authority that is down, a name that leads away."""

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
    """A box for these tests alone; the shared one could not do without its certificate."""
    made = make_module_box(installed=True)
    made.boot()
    made.stop_collecting()
    made.take_address()
    yield made
    forget(world, made)
    world.point_name_at(API_ADDRESS)
    world.acme.restart()


@pytest.fixture
def bare(world: World, installed: Box) -> Box:
    """The box without a certificate, and nothing in the bucket; nobody has tried anything yet."""
    world.point_name_at(API_ADDRESS)
    world.acme.restart()
    forget(world, installed)
    return installed


def forget(world: World, box: Box) -> None:
    """Take every certificate away, from the bucket and the box; its placeholder is what is left."""
    box.succeeds(f"systemctl stop {UNIT}.timer {UNIT}.service")  # it may be about to store one
    bucket = world.deployment.facts["certificates_bucket"]
    world.client("s3").delete_object(Bucket=bucket, Key=stored_as())
    box.succeeds(
        f"rm -rf {CLOCK} /etc/letsencrypt "
        "/run/community-metrics/certificate.json /var/lib/community-metrics/tls && "
        "systemctl daemon-reload && systemctl restart nginx"
    )


def begin(box: Box) -> None:
    """Let the box look after its certificate, as it does soon after a boot."""
    box.succeeds(f"systemctl start {UNIT}.timer && systemctl start --no-block {UNIT}.service")


def wait_for_certificate(world: World, box: Box) -> None:
    """Wait until a client that trusts the authority alone gets an answer; the box says why there is none."""
    try:
        eventually(lambda: world.get(HEALTH).raise_for_status(), ISSUE_S)
    except httpx.HTTPError as error:
        pytest.fail(f"no certificate: {error}\n{box.journal(UNIT, lines=60)}")


def look_again(box: Box) -> None:
    """Let half a day pass, as far as the timer is concerned."""
    box.succeeds(f"systemctl start {UNIT}.service", limit_s=ISSUE_S)


def look_soon(box: Box) -> None:
    """Let it look now, and be as impatient as at first, where it waits to look again by itself."""
    box.succeeds(f"systemctl stop {UNIT}.service && systemctl start --no-block {UNIT}.service")


def set_clock(box: Box, ahead: str) -> None:
    """Let the certificate's program, and nothing else, live in the future."""
    library = box.succeeds(f"ls {FAKETIME}").strip()
    lines = ["[Service]", f"Environment=LD_PRELOAD={library} FAKETIME={ahead} FAKETIME_DONT_FAKE_MONOTONIC=1"]
    box.succeeds(
        f"mkdir -p {CLOCK.rpartition('/')[0]} && printf '%s\\n' {' '.join(map(repr, lines))} >{CLOCK}"
    )
    box.succeeds("systemctl daemon-reload")


def served(world: World, address: str = API_ADDRESS) -> x509.Certificate:
    """Return the certificate that is shown for the API's name, whoever signed it."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with (
        world.clients,
        socket.create_connection((address, 443), 10) as plain,
        trusting.wrap_socket(plain, server_hostname=API_HOST) as secured,
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
    """Return how often the authority was asked for a certificate."""
    return world.acme.log.count("/order-plz")


def test_nothing_is_asked_before_the_name_leads_here(
    world: World, bare: Box, make_box: Callable[..., Box]
) -> None:
    other, asked = make_box(installed=True), orders(world)
    other.boot()
    other.stop_collecting()
    other.succeeds(f"systemctl stop {UNIT}.timer {UNIT}.service")  # it would take the name for its own
    world.point_name_at(None)
    begin(bare)
    eventually(lambda: has_said(bare, f"{API_HOST} has no address yet"), 40)

    world.point_name_at(MAIN)
    look_soon(bare)
    eventually(lambda: has_said(bare, f"leads to {MAIN}, which does not answer on port 80"), 60)

    world.point_name_at(other.address)
    look_soon(bare)
    eventually(lambda: has_said(bare, f"leads to {other.address}, where another machine answers"), 60)
    assert orders(world) == asked
    assert is_placeholder(served(world))

    world.point_name_at(API_ADDRESS)
    wait_for_certificate(world, bare)
    assert orders(world) > asked


def test_while_the_authority_is_down_the_box_serves_and_goes_on_asking(world: World, bare: Box) -> None:
    world.stop("acme")
    try:
        begin(bare)
        eventually(lambda: has_said(bare, "cannot be reached; nothing was counted"), 60)
        assert is_placeholder(served(world))
        assert bare.succeeds("systemctl --failed --no-legend --plain") == ""
        assert bare.succeeds("systemctl is-system-running").strip() == "running"
    finally:
        world.start("acme")

    wait_for_certificate(world, bare)


def test_a_new_box_restores_it_before_anything_is_asked_of_the_authority(
    world: World, bare: Box, make_box: Callable[..., Box]
) -> None:
    begin(bare)
    wait_for_certificate(world, bare)
    eventually(lambda: is_true(is_stored(world)), 10)
    asked = orders(world)
    successor = make_box(installed=True)

    successor.boot()
    successor.stop_collecting()

    eventually(lambda: successor.succeeds("test -e /run/community-metrics/certificate.json"), 40)
    answer = eventually(lambda: world.get(HEALTH, address=successor.address), 10)
    assert (answer.status_code, orders(world)) == (200, asked)
    assert served(world, successor.address) == served(world)


def test_a_certificate_that_is_due_is_served_on_while_the_authority_is_down(world: World, bare: Box) -> None:
    begin(bare)
    wait_for_certificate(world, bare)
    bare.succeeds("apt-get update && apt-get install --yes --no-install-recommends faketime", limit_s=120)
    set_clock(bare, "+70d")
    world.stop("acme")
    try:
        bare.succeeds(
            f"rm /run/community-metrics/certificate.json; systemctl start --no-block {UNIT}.service"
        )
        eventually(lambda: has_said(bare, "cannot be reached; nothing was counted"), 60)
        told = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    finally:
        world.start("acme")

    # the monitor goes on knowing how little is left, or no alarm would come
    assert datetime.fromisoformat(told["not_after"]) - datetime.now(UTC) < timedelta(days=91)
    assert world.get(HEALTH).status_code == 200


def test_the_first_certificate_is_asked_for_served_told_and_stored(world: World, bare: Box) -> None:
    before = world.acme.issued
    assert is_placeholder(served(world))

    begin(bare)
    wait_for_certificate(world, bare)

    certificate = served(world)
    assert world.acme.issued == before + 1
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    told = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    assert datetime.fromisoformat(told["not_after"]) == certificate.not_valid_after_utc
    assert bare.succeeds("stat --format=%a /run/community-metrics/certificate.json") == "644\n"
    assert bare.succeeds("stat --format=%a /etc/letsencrypt") == "700\n"
    eventually(lambda: is_true(is_stored(world)), 10)


def test_a_certificate_of_six_days_is_renewed_at_half_its_life_without_a_gap(world: World, bare: Box) -> None:
    world.acme.restart(SIX_DAYS_S)
    bare.succeeds("apt-get update && apt-get install --yes --no-install-recommends faketime", limit_s=120)
    begin(bare)
    wait_for_certificate(world, bare)
    first, issued = served(world), world.acme.issued
    assert first.not_valid_after_utc - first.not_valid_before_utc < timedelta(days=6, hours=1)

    set_clock(bare, "+2d")
    look_again(bare)
    assert world.acme.issued == issued

    set_clock(bare, "+4d")
    look_again(bare)
    assert world.acme.issued == issued + 1
    second = eventually(lambda: other_than(first, served(world)), 5)
    assert second.not_valid_after_utc >= first.not_valid_after_utc
    assert world.get(HEALTH).status_code == 200
    told = json.loads(bare.succeeds("cat /run/community-metrics/certificate.json"))
    assert datetime.fromisoformat(told["not_after"]) == second.not_valid_after_utc


def other_than(known: x509.Certificate, found: x509.Certificate) -> x509.Certificate:
    assert found.serial_number != known.serial_number
    return found


def has_said(box: Box, words: str) -> bool:
    """Say that the certificate's unit has said these words since it was last begun."""
    since = box.succeeds(f"systemctl show --property=ActiveEnterTimestamp --value {UNIT}.timer").strip()
    assert words in box.succeeds(f"journalctl --quiet --output=cat --unit={UNIT} --since '{since}'")
    return True


def is_true(found: bool) -> bool:
    assert found
    return found
