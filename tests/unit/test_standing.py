"""Whether the stack's cluster stands, as the program asks at every `up`; docker is a stand-in, the API a server."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.kind import standing
from components.kind.creation import alone, unfinished
from components.kind.processes import CommandError
from components.kind.standing import creation_word
from tests.unit.kind_machine import Machine, node

PORT = 8080


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine that this process asks."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Machine(tmp_path)


def test_the_word_of_a_cluster_that_stands_stays(machine: Machine) -> None:
    machine.runs(node("dev", "ours-word-1", PORT))
    assert creation_word("ours", "dev", PORT) == "word", "a cluster that stands would be replaced"


@pytest.mark.parametrize(
    "containers",
    [
        [],
        [node("dev", None, PORT)],
        [node("dev", "another-stacks-1", PORT)],
        [node("other", "ours-word-1", PORT)],
        [node("dev", "ours-word-1", PORT + 1)],
    ],
    ids=["none", "foreign", "another stack's", "of an earlier name", "of an earlier port"],
)
def test_where_no_such_cluster_stands_there_is_a_new_word(machine: Machine, containers: list[Any]) -> None:
    machine.runs(*containers)
    words = {creation_word("ours", "dev", PORT) for _ in range(2)}
    assert len(words) == 2 and "word" not in words, "a lost cluster would not be noticed"


@pytest.mark.parametrize(("status", "command"), [("exited", "start"), ("paused", "unpause"), ("dead", "restart")])
def test_a_node_that_does_not_run_is_told_with_the_command_that_mends_it(
    machine: Machine, status: str, command: str
) -> None:
    machine.runs({**node("dev", "ours-word-1", PORT), "status": status})
    with pytest.raises(CommandError, match=f"docker {command} dev-control-plane && pulumi up"):
        creation_word("ours", "dev", PORT)


def test_a_killed_creation_is_no_cluster_that_has_to_be_mended(machine: Machine) -> None:
    machine.runs({**node("dev", "ours-word-1", PORT), "status": "created"})
    with alone("ours") as creation:
        creation.begins("ours-word-1")
    assert unfinished("ours") == "ours-word-1"
    assert creation_word("ours", "dev", PORT), "an interrupted `up` cannot be run again"


@pytest.mark.usefixtures("machine")
def test_a_creation_that_ended_is_not_taken_for_a_killed_one() -> None:
    with alone("ours") as creation:
        creation.begins("ours-word-1")
        creation.ends()
    assert unfinished("ours") == "", "a stopped cluster would be made anew, and its data lost"


def test_a_docker_that_does_not_answer_is_no_lost_cluster(machine: Machine) -> None:
    (machine.folder / "docker").unlink()
    with pytest.raises(CommandError, match="docker is not on PATH"):
        creation_word("ours", "dev", PORT)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[int]]]:
    """The port of an API, and the statuses that it will answer with before it is ready."""
    statuses: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """No line for each request."""

    plain = http.client.HTTPConnection

    def without_tls(host: str, port: int, timeout: float, context: object) -> http.client.HTTPConnection:
        assert context, "nobody could answer"
        return plain(host, port, timeout=timeout)

    monkeypatch.setattr("http.client.HTTPSConnection", without_tls)
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, statuses
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_node_that_was_just_started_is_waited_for(
    machine: Machine, api: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    port, statuses = api
    statuses += [500, 403]
    machine.runs({**node("dev", "ours-word-1", PORT), "api": port})
    assert creation_word("ours", "dev", PORT) == "word" and not statuses, "an `up` asks an API that is not ready"
    assert capsys.readouterr().err.count("waiting for the Kubernetes API") == 1, (
        "a person waits and is not told for what"
    )


def test_an_api_that_never_answers_is_told(
    machine: Machine, api: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "API_SECONDS", 0)
    api[1].append(500)
    machine.runs({**node("dev", "ours-word-1", PORT), "api": api[0]})
    with pytest.raises(CommandError, match=r"it answers 500.*pulumi destroy && pulumi up"):
        creation_word("ours", "dev", PORT)
