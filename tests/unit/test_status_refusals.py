"""`status` where there is nothing to show: what is wrong and the way out, in words."""

from __future__ import annotations

import io
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from status import StatusError, cluster, wanted
from status.__main__ import main
from toolchain import verbs
from toolchain.state import Checkout


def pulumi(folder: Path, script: str) -> dict[str, str]:
    """An environment whose pulumi is a stand-in that runs a script."""
    file = folder / "pulumi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.defpath}"}


def test_what_pulumi_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    environ = pulumi(tmp_path, "echo 'error: no stack named dev found' >&2; exit 255")
    with pytest.raises(StatusError, match="no stack named dev found\nNo stack yet\\? make up"):
        wanted.read("dev", tmp_path, environ)


def test_without_pulumi_the_way_to_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match="make install"):
        wanted.read("dev", tmp_path, {"PATH": str(tmp_path)})


def test_an_error_is_one_message_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checkout's own pulumi, if there is one, comes first; this backend has no such stack for any pulumi."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    monkeypatch.setattr("status.picture.Checkout", lambda _: Checkout(tmp_path))
    monkeypatch.setenv("PATH", pulumi(tmp_path, "echo 'error: no stack named x found' >&2; exit 255")["PATH"])
    assert main(["--stack", "x"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: The stack x cannot be read") and "Traceback" not in said.err


def kubeconfig(server: str) -> str:
    """A kubeconfig for a server, without certificates."""
    return yaml.safe_dump(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
        }
    )


def test_a_cluster_that_is_gone_is_told_with_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(StatusError, match=rf"dev does not answer at {server} \(.*refused.*dev-control-plane.*make up"):
        cluster.read(kubeconfig(server), "default", "dev")


class Refusing(BaseHTTPRequestHandler):
    """A stand-in for an API server that knows no Knative."""

    def do_GET(self) -> None:
        self.send_error(404, "Not Found")

    def log_message(self, *_: object) -> None:
        """Nothing in the output of the tests."""


def test_a_cluster_without_knative_is_told_with_the_way_out() -> None:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(StatusError, match=r"dev answers, but refuses \(404 Not Found\).*pulumi refresh"):
            cluster.read(kubeconfig(f"http://127.0.0.1:{server.server_port}"), "default", "dev")
        server.shutdown()
        thread.join()


def verb(folder: Path, monkeypatch: pytest.MonkeyPatch, stacks: str, **environ: str) -> tuple[int, str]:
    """`make status`, with stand-ins for pulumi and for what shows the tree (it writes down its arguments)."""
    checkout, console = Checkout(folder), Console(file=io.StringIO(), width=200)
    checkout.bin.mkdir(parents=True)
    pulumi(checkout.bin, f"echo '{stacks}'")
    shower = folder / "python"
    shower.write_text(f'#!/bin/sh\necho "$@" > {folder}/shown\nexit 3\n')
    shower.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(shower))
    monkeypatch.setattr("offline.engine.answers", lambda: False)
    backend = {"PULUMI_BACKEND_URL": "file:///of/the/users/own", "PATH": os.defpath, **environ}
    code = verbs.status(checkout, backend, console)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


@pytest.mark.parametrize("stacks", ["[]", '[{"name": "dev", "resourceCount": 0}]'])
def test_without_a_stack_the_verb_names_the_way_to_one(
    stacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verb(tmp_path, monkeypatch, stacks) == (
        0,
        "Docker does not answer (not started here)\nNo stack yet: make up\n",
    )
    assert not (tmp_path / "shown").exists()


@pytest.mark.parametrize(("environ", "more"), [({}, ""), ({"WATCH": ""}, ""), ({"WATCH": "1"}, " --watch")])
def test_the_verb_shows_the_stacks_tree(
    environ: dict[str, str], more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _ = verb(tmp_path, monkeypatch, '[{"name": "dev", "resourceCount": 3}]', **environ)
    assert code == 3, "its exit code is the verb's"
    assert (tmp_path / "shown").read_text() == f"-m status --stack dev{more}\n"
