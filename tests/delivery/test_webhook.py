"""One attempt: what is sent, what each answer means, and what is never said."""

import base64
import gc
import json
import logging
import shutil
import ssl
import subprocess
import traceback
from email.utils import formatdate
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import daemon
from daemon.config import Webhook
from daemon.delivery import FORBIDDEN
from daemon.delivery.formats import slack, standard
from daemon.delivery.signature import verify
from daemon.delivery.webhook import MAX_RESPONSE, MAX_RETRY_AFTER, WebhookSink, parse_retry_after
from daemon.model import Alert, Refused, Transient
from tests.delivery.test_address_guard import Names
from tests.doubles.alerts import make_alert, make_delivery
from tests.doubles.receiver import Receiver, Reply

NOW = 1_700_000_000.5
SECRETS = tuple("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
LOOPBACK = ("127.0.0.0/8",)


def config(**changes: Any) -> Webhook:
    values = {"name": "ops", "url": "https://unused.example/", "allow_private": LOOPBACK, "timeout": 5.0, **changes}
    return Webhook.model_validate(values)


def sink_of(receiver: Receiver, *, secrets: tuple[str, ...] = (), **changes: Any) -> WebhookSink:
    return WebhookSink(config(**changes), url=receiver.url, secrets=secrets)


async def attempt(*script: Reply, alert: Alert | None = None, **changes: Any) -> Transient | Refused | None:
    """Send one alert to a receiver with this script; what it came to."""
    async with Receiver(*script) as receiver:
        sink = sink_of(receiver, **changes)
        try:
            await sink.send(make_delivery(alert=alert or make_alert()), NOW)
        except (Transient, Refused) as failure:
            return failure
        finally:
            await sink.close()
    return None


async def test_what_arrives_is_the_signed_body_and_every_secret_verifies_it() -> None:
    async with Receiver(secrets=SECRETS[1:]) as receiver:
        sink = sink_of(receiver, secrets=SECRETS)
        await sink.send(make_delivery(), NOW)
        await sink.close()
    (got,) = receiver.received
    assert got.method == "POST"
    assert got.path == "/services/T0SECRET/B0SECRET?key=SECRET"
    assert got.body == standard.render(make_alert())
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == f"tellwhy/{daemon.__version__}"
    assert got.headers["webhook-id"] == "al-7f3a-v1"
    assert got.headers["webhook-timestamp"] == "1700000000"
    assert got.verified in {True, None}
    verify(got.headers, got.body, SECRETS[:1], NOW)


async def test_each_attempt_has_the_same_id_and_body_and_a_new_timestamp_and_signature() -> None:
    async with Receiver(Reply(503), Reply(503), Reply(503), Reply(200), secrets=SECRETS[:1]) as receiver:
        sink = sink_of(receiver, secrets=SECRETS[:1])
        for n in range(3):
            with pytest.raises(Transient):
                await sink.send(make_delivery(attempts=n), NOW + 60 * n)
        await sink.send(make_delivery(attempts=3), NOW + 180)
        await sink.close()
    got = receiver.received
    assert len(got) == 4
    assert len({request.body for request in got}) == 1
    assert {request.headers["webhook-id"] for request in got} == {"al-7f3a-v1"}
    assert len({request.headers["webhook-timestamp"] for request in got}) == 4
    assert len({request.headers["webhook-signature"] for request in got}) == 4
    assert all(request.verified in {True, None} for request in got)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_accepted(status: int) -> None:
    assert await attempt(Reply(status)) is None


@pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
async def test_a_body_that_is_refused_is_refused_and_only_410_disables(status: int) -> None:
    failure = await attempt(Reply(status, headers={"retry-after": "5"}))
    assert isinstance(failure, Refused)
    assert failure.gone is (status == 410)
    assert failure.detail == f"http://127.0.0.1 answered {status}"
    assert failure.why == f"status_{status}"


@pytest.mark.parametrize("status", [402, 406, 407, 408, 409, 418, 425, 429, 451, 500, 501, 502, 503, 504, 520, 599])
async def test_what_may_pass_is_tried_again_with_the_wait_that_was_asked_for(status: int) -> None:
    failure = await attempt(Reply(status, headers={"retry-after": "7"}))
    assert isinstance(failure, Transient)
    assert failure.retry_after == 7.0
    assert failure.detail == f"http://127.0.0.1 answered {status}"


@pytest.mark.parametrize(
    ("status", "mended_by"),
    [
        *[(status, "redirects are not followed: use the final address") for status in (300, 301, 302, 303, 307, 308)],
        *[(status, "check its secret or token") for status in (401, 403)],
        *[(status, "check its url") for status in (404, 405)],
    ],
)
async def test_what_people_can_mend_is_tried_again_and_says_what_mends_it(status: int, mended_by: str) -> None:
    failure = await attempt(Reply(status))
    assert isinstance(failure, Transient)
    assert (failure.detail, failure.why) == (f"http://127.0.0.1 answered {status}: {mended_by}", f"status_{status}")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("1000000000", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("\u0667", None),
        (formatdate(NOW + 90, usegmt=True), 89.5),
        (formatdate(NOW + 90).replace("+0000", "-0000"), 89.5),
        (formatdate(NOW + 10**6, usegmt=True), MAX_RETRY_AFTER),
        (formatdate(NOW - 90, usegmt=True), None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("Fri, 99 Foo 2023 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_an_hour(header: str, expected: float | None) -> None:
    assert parse_retry_after(header, NOW) == expected


@given(st.text(max_size=60))
def test_no_header_breaks_retry_after(header: str) -> None:
    wait = parse_retry_after(header, NOW)
    assert wait is None or 0 < wait <= MAX_RETRY_AFTER


async def test_redirects_are_not_followed() -> None:
    async with Receiver() as inside:
        moved = Reply(302, headers={"location": f"http://127.0.0.1:{inside.port}/collections"})
        assert isinstance(await attempt(moved), Transient)
        assert inside.received == []


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"ok", None),
        (b"ok\n", None),
        (b'{"ok": true}', None),
        (b"no_text", Refused),
        (b"invalid_blocks", Refused),
        (b'{"ok": false, "error": "msg_too_long"}', Refused),
        (b"no_channel", Transient),
        (b"channel_is_archived", Transient),
        (b'{"ok": false, "error": "invalid_token"}', Transient),
        (b'{"ok": false, "error": "internal_error"}', Transient),
        (b"", Transient),
        (b"OK!", Transient),
        (b"<html>Sign in</html>", Transient),
        (b"not ok", Transient),
        (b'{"ok": "yes"}', Transient),
        (b"{" * 60000, Transient),
        (b'{"a":' + b"[" * 60000, Transient),
        (b"\xff\xfe{", Transient),
        (b'{"ok": 1e999}', Transient),
    ],
)
async def test_slack_has_accepted_only_when_it_says_ok(body: bytes, outcome: type[Exception] | None) -> None:
    failure = await attempt(Reply(200, body), format="slack")
    assert type(failure) is (outcome or type(None))
    assert "html" not in str(failure)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "mended_by"),
    [
        (200, b"no_channel", Transient, ""),
        (403, b"invalid_token", Transient, ": check its secret or token"),
        (404, b"no_service", Transient, ": check its url"),
        (400, b"invalid_payload", Refused, ""),
        (500, b"rollup_error", Transient, ""),
    ],
)
async def test_slacks_word_for_an_error_is_told(
    status: int, body: bytes, outcome: type[Exception], mended_by: str
) -> None:
    failure = await attempt(Reply(status, body), format="slack")
    assert type(failure) is outcome
    assert str(failure) == f"http://127.0.0.1 answered {status} {body.decode()}{mended_by}"


async def test_slack_gets_blocks() -> None:
    async with Receiver(Reply(200, b"ok")) as receiver:
        sink = sink_of(receiver, format="slack")
        await sink.send(make_delivery(), NOW)
        await sink.close()
    assert receiver.received[0].body == slack.render(make_alert())
    assert receiver.received[0].headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("fault", ["hang", "half"])
async def test_no_answer_in_time_is_a_timeout(fault: str) -> None:
    failure = await attempt(Reply(fault=fault), timeout=0.15)
    assert isinstance(failure, Transient)
    assert failure.why == "timeout"


async def test_a_cut_connection_is_tried_again() -> None:
    failure = await attempt(Reply(fault="cut"))
    assert isinstance(failure, Transient)
    assert failure.why == "cut"


@pytest.mark.parametrize("fault", ["trickle", "huge"])
async def test_a_2xx_is_enough_however_the_body_dawdles(fault: str) -> None:
    assert await attempt(Reply(200, fault=fault), timeout=2.0) is None


async def test_slacks_body_is_read_only_so_far_and_only_so_long() -> None:
    huge = await attempt(Reply(200, fault="huge"), format="slack", timeout=5.0)
    assert isinstance(huge, Transient)
    assert huge.why == "not_ok"
    slow = await attempt(Reply(200, fault="trickle"), format="slack", timeout=0.15)
    assert isinstance(slow, Transient)
    assert slow.why == "timeout"
    assert MAX_RESPONSE == 65_536


async def test_a_compressed_bomb_is_not_unpacked() -> None:
    failure = await attempt(Reply(200, b"\x1f\x8b" + bytes(1000), {"content-encoding": "gzip"}), format="slack")
    assert isinstance(failure, Transient)
    assert failure.why == "not_ok"


async def test_nobody_listening_and_no_such_name_are_tried_again() -> None:
    async with Receiver() as receiver:
        closed = receiver.url
    sink = WebhookSink(config(), url=closed)
    with pytest.raises(Transient) as refused:
        await sink.send(make_delivery(), NOW)
    await sink.close()
    assert refused.value.why == "connect"

    class Unknown(Names):
        """A name server that knows nothing."""

        async def resolve(self, *_: Any, **__: Any) -> Any:
            raise OSError(-2, "Name or service not known")

    sink = WebhookSink(config(), url="https://hooks.example/SECRET", resolver=Unknown())
    with pytest.raises(Transient) as unknown:
        await sink.send(make_delivery(), NOW)
    await sink.close()
    assert unknown.value.why == "dns"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/SECRET",
        "http://127.0.0.1:6333/SECRET",
        "https://2130706433/SECRET",
        "nonsense/SECRET",
        "https://u:SECRET@hooks.example/",
        "https://hooks.example:22/SECRET",
    ],
)
async def test_a_forbidden_url_is_refused_without_a_connection(url: str) -> None:
    sink = WebhookSink(config(allow_private=()), url=url, resolver=Names(["127.0.0.1"]))
    with pytest.raises(Refused) as refused:
        await sink.send(make_delivery(), NOW)
    assert refused.value.why == FORBIDDEN
    assert "SECRET" not in str(refused.value)
    await sink.close()


async def test_while_a_name_is_rebound_to_this_host_nothing_is_sent_and_afterwards_it_is() -> None:
    async with Receiver() as receiver:
        names = Names(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"])
        sink = WebhookSink(
            config(allow_private=("127.0.0.1",)), url=f"http://hooks.example:{receiver.port}/SECRET", resolver=names
        )
        await sink.send(make_delivery(), NOW)
        with pytest.raises(Transient) as refused:
            await sink.send(make_delivery(), NOW)
        assert len(receiver.received) == 1
        assert refused.value.why == "address"
        assert refused.value.detail == (
            "http://hooks.example is not allowed: 127.0.0.2 is this host (loopback); name it in allow_private if it is meant"
        )
        await sink.send(make_delivery(), NOW)
        await sink.close()
        assert names.asked == 3
        assert len(receiver.received) == 2


async def test_proxies_and_netrc_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET\n")
    netrc.chmod(0o600)
    async with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.delenv("NO_PROXY", raising=False)
        sink = sink_of(receiver)
        await sink.send(make_delivery(), NOW)
        await sink.close()
        assert proxy.received == []
        assert "authorization" not in receiver.received[0].headers


async def test_cookies_are_not_kept() -> None:
    async with Receiver(Reply(200, headers={"set-cookie": "track=me"})) as receiver:
        url = f"http://hooks.example:{receiver.port}/"  # a name: a cookie jar would not take one from an address
        sink = WebhookSink(config(), url=url, resolver=Names(["127.0.0.1"]))
        await sink.send(make_delivery(), NOW)
        await sink.send(make_delivery(), NOW)
        await sink.close()
        assert "cookie" not in receiver.received[1].headers


def certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server, client) contexts of a certificate for hooks.example that only this client trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, cert = directory / "key.pem", directory / "cert.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example", "-days", "2"]
    made = [openssl, "req", "-x509", *curve, "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(made, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


async def test_over_tls_the_name_of_the_url_is_asked_for_and_checked_while_the_vetted_address_is_used(
    tmp_path: Path,
) -> None:
    server, client = certificate(tmp_path)
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with Receiver(tls=server) as receiver:
        url = f"https://hooks.example:{receiver.port}/SECRET"
        sink = WebhookSink(config(), url=url, resolver=Names(["127.0.0.1"]), tls=client)
        await sink.send(make_delivery(), NOW)
        await sink.close()
        assert asked == ["hooks.example"]
        assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize(("host", "trusted"), [("hooks.example", False), ("other.example", True)])
async def test_an_untrusted_or_foreign_certificate_is_tried_again_and_nothing_is_sent(
    tmp_path: Path, host: str, *, trusted: bool
) -> None:
    server, client = certificate(tmp_path)
    async with Receiver(tls=server) as receiver:
        url = f"https://{host}:{receiver.port}/SECRET"
        sink = WebhookSink(config(), url=url, resolver=Names(["127.0.0.1"]), tls=client if trusted else None)
        with pytest.raises(Transient) as refused:
            await sink.send(make_delivery(), NOW)
        await sink.close()
        assert refused.value.why == "tls"
        assert "certificate" in refused.value.detail
        assert "SECRET" not in refused.value.detail
        assert receiver.received == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"SECRET no"), Reply(301, headers={"location": "http://127.0.0.1/SECRET"}), Reply(404, b"SECRET"),
        Reply(410), Reply(503), Reply(fault="hang"), Reply(fault="half"), Reply(fault="cut"),
    ],
)  # fmt: skip
async def test_no_failure_prints_the_url(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failure = await attempt(reply, format="slack", timeout=0.15)
    assert failure is not None
    told = "".join(traceback.format_exception(failure)) + repr(failure) + caplog.text + repr(vars(failure))
    assert "SECRET" not in told
    assert failure.__context__ is None
    assert failure.__cause__ is None


async def test_a_sink_prints_its_name_and_host_only() -> None:
    sink = WebhookSink(config(), url="https://hooks.example/T0/SECRET", secrets=SECRETS)
    assert repr(sink) == str(sink) == "WebhookSink('ops', 'https://hooks.example')"
    assert sink.name == "ops"


@pytest.mark.parametrize(("secrets", "networks"), [(["weak"], LOOPBACK), ([], ("10.0.0.5/8",))])
def test_a_malformed_secret_or_range_is_an_error_at_once(secrets: list[str], networks: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        WebhookSink(config(allow_private=networks), url="https://hooks.example/", secrets=secrets)


async def test_a_timeout_of_zero_is_not_for_ever() -> None:
    sink = WebhookSink(config(timeout=0), url="https://hooks.example/")
    assert sink._timeout.total == 15.0


async def test_close_lets_go_and_may_come_twice_and_the_sink_can_go_on() -> None:
    async with Receiver() as receiver:
        sink = sink_of(receiver)
        await sink.close()
        await sink.send(make_delivery(), NOW)
        await sink.close()
        await sink.close()
        await sink.send(make_delivery(), NOW)
        await sink.close()
        assert len(receiver.received) == 2
    gc.collect()  # an unclosed session would warn, and warnings are errors


async def test_a_hostile_alert_is_still_one_valid_request() -> None:
    alert = make_alert(id="a.b\r\nx: y\ud800", because="\r\n\x00\ud800" * 5000)
    async with Receiver(secrets=SECRETS[:1]) as receiver:
        sink = sink_of(receiver, secrets=SECRETS[:1])
        await sink.send(make_delivery(alert=alert), NOW)
        await sink.close()
    (got,) = receiver.received
    assert got.verified in {True, None}
    assert "x" not in got.headers
    assert json.loads(got.body)["data"]["version"] == 1
    verify(got.headers, got.body, SECRETS[:1], NOW)


async def test_a_receiver_that_answers_with_an_impossible_head_costs_one_attempt() -> None:
    async def garble(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\n" + b"x: y" * 100_000)
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", garble)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sink = WebhookSink(config(), url=f"http://127.0.0.1:{runner.addresses[0][1]}/")
    with pytest.raises(Transient) as garbled:
        await sink.send(make_delivery(), NOW)
    assert garbled.value.why in {"protocol", "cut"}
    await sink.close()
    await runner.cleanup()


def test_the_alert_of_a_delivery_is_not_changed_by_rendering() -> None:
    alert = make_alert()
    before = msgspec.json.encode(alert)
    standard.render(alert)
    slack.render(alert)
    assert msgspec.json.encode(alert) == before
