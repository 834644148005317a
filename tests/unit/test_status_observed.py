"""What a sample of requests says: which revision answered, whether that fits the share, and who is not asked."""

from __future__ import annotations

import dataclasses
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from scipy.stats import binom

from status.model import Sample, Service
from status.observed import FALSE_ALARM, OWN_TAG, fits, sample, why_not, with_observed
from status.reported import with_reported
from tests.unit.release_status import CANARY, STABLE, named, objects, pod, wanted


def reported(**given: Any) -> Service:
    """The service with what the cluster reports."""
    return with_reported(wanted().status.services[0], objects(**given))


@pytest.mark.parametrize("total", [1, 10, 40, 300])
@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99, 100])
def test_the_verdict_is_the_exact_binomial_one(total: int, percent: int) -> None:
    for seen in range(0, total + 1, max(1, total // 20)):
        tails = binom.cdf(seen, total, percent / 100), binom.sf(seen - 1, total, percent / 100)
        assert fits(seen, total, percent) == (min(tails) > FALSE_ALARM / 2), f"{seen} of {total} at {percent} %"


def test_the_verdict_on_a_days_requests_takes_no_time() -> None:
    assert fits(1_000_000, 2_000_000, 50) and fits(1_002_000, 2_000_000, 50) and not fits(1_010_000, 2_000_000, 50)
    assert not fits(0, 2_000_000, 1) and not fits(2_000_000, 2_000_000, 99)


def test_zero_and_a_hundred_percent_are_exact() -> None:
    assert fits(0, 40, 0) and not fits(1, 1000, 0)
    assert fits(40, 40, 100) and not fits(999, 1000, 100)


def test_answers_are_counted_by_the_revision_of_the_pod() -> None:
    listed = [pod("short", STABLE), pod(f"{CANARY}-deployment-x", CANARY)]
    began_since = f"{CANARY}-deployment-y"
    taken = Sample(
        sent=41, failures={"status 503": 1}, pods={"short": 19, f"{CANARY}-deployment-x": 20, began_since: 1}
    )
    service = with_observed(reported(pods=listed), taken)
    assert [(t.observed, t.fits) for t in service.tracks] == [(19, True), (21, True)]


def test_an_answer_of_a_foreign_pod_is_nobodys() -> None:
    service = with_observed(reported(), Sample(sent=40, pods={"stranger": 40}))
    assert [(t.observed, t.fits) for t in service.tracks] == [(0, False), (0, False)]


def test_without_an_answer_nothing_is_judged() -> None:
    service = with_observed(reported(), Sample(sent=2, failures={"timed out": 2}))
    assert [(t.observed, t.fits) for t in service.tracks] == [(None, None), (None, None)]


def test_a_service_is_not_asked_where_a_request_would_start_a_pod() -> None:
    only_stable = [pod("p", STABLE)]
    assert why_not(reported(pods=only_stable), watching=False) == (
        f"{CANARY} has no pods, and a request would start one"
    )
    assert why_not(reported(pods=only_stable, traffic={STABLE: 100, CANARY: 0}), watching=False) is None, (
        "at 0 percent no request of the sample reaches it"
    )
    ending = pod("p", CANARY)
    ending["metadata"]["deletion_timestamp"] = "2026-11-23T10:00:00Z"
    assert why_not(reported(pods=[*only_stable, ending]), watching=False), "a pod that ends answers no new request"


def test_watching_keeps_no_service_up() -> None:
    kept = {name: named(name, **{"autoscaling.knative.dev/min-scale": "1"}) for name in (STABLE, CANARY)}
    assert why_not(reported(), watching=True) == "it scales to zero, and watching would keep it up"
    assert why_not(reported(revisions=kept), watching=True) is None
    assert why_not(reported(), watching=False) is None


def test_a_service_that_the_cluster_does_not_have_is_not_asked() -> None:
    assert why_not(reported(services={}), watching=False) == "the cluster reports no share"


class Ingress(BaseHTTPRequestHandler):
    """Answers in turn as it is told, by a stand-in for the ingress."""

    answers: ClassVar[list[tuple[int, bytes]]] = []
    asked: ClassVar[list[tuple[str, str]]] = []
    marks: ClassVar[set[str | None]] = set()

    def do_GET(self) -> None:
        self.marks.add(self.headers["Knative-Serving-Tag"])
        self.asked.append((self.headers["Host"], self.path))
        status, body = self.answers[(len(self.asked) - 1) % len(self.answers)]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing in the output of the tests."""


@pytest.fixture
def ingress() -> Iterator[int]:
    """Port of the stand-in."""
    Ingress.asked.clear()
    Ingress.marks.clear()
    with HTTPServer(("127.0.0.1", 0), Ingress) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def at(port: int) -> Service:
    """The service, its URL at a port."""
    return dataclasses.replace(reported(), url=f"http://notifications.default.127.0.0.1.sslip.io:{port}")


def test_each_request_is_sent_once_and_a_failure_is_counted(ingress: int) -> None:
    Ingress.answers = [(200, json.dumps({"podName": "p"}).encode()), (503, b""), (200, b"hello"), (200, b"[1]")]
    taken = sample(at(ingress), "/service/info", 8)
    assert taken == Sample(sent=8, failures={"status 503": 2, "an answer without a pod's name": 4}, pods={"p": 2})
    assert Ingress.asked == [("notifications.default.127.0.0.1.sslip.io", "/service/info")] * 8, "a retry hides a loss"
    assert Ingress.marks == {OWN_TAG}, "the sample counts as users' traffic in a rollout"


def test_a_closed_port_is_a_failure_of_each_request(ingress: int) -> None:
    service = at(ingress)
    free = HTTPServer(("127.0.0.1", 0), Ingress)
    free.server_close()
    closed = dataclasses.replace(service, url=service.url.replace(str(ingress), str(free.server_port)))
    taken = sample(closed, "/service/info", 3)
    assert taken.sent == 3 and sum(taken.failures.values()) == 3 and not taken.answered


def test_with_tls_the_certificate_of_the_services_host_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    host = "notifications.default.mine.test"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={host}"]
    files = ["-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    Ingress.answers = [(200, json.dumps({"podName": "p"}).encode())]
    with HTTPServer(("127.0.0.1", 0), Ingress) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"https://{host}:{server.server_port}"
        service = dataclasses.replace(reported(), url=url, address="127.0.0.1")
        unknown = sample(service, "/service/info", 1)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = sample(service, "/service/info", 1)
        server.shutdown()
        thread.join()
    assert trusted == Sample(sent=1, pods={"p": 1}), "a service with TLS is not asked at its ingress"
    assert any("certificate" in failure for failure in unknown.failures), f"it is trusted unseen: {unknown}"
