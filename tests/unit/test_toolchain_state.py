"""Pulumi's state in the checkout: made only where the user has no other, and closed to other users."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toolchain import ToolchainError
from toolchain.state import Checkout, environment, prepare, stack_name

ACTIVATE = Path(__file__).parents[2] / "scripts" / "activate"
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]
VARIABLES = (
    *("PATH", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_SKIP_UPDATE_CHECK"),
    *("no_proxy", "NO_PROXY"),
)
PROXIED: list[dict[str, str]] = [
    {"HTTPS_PROXY": "http://proxy:3128"},
    {"http_proxy": "http://proxy:3128", "NO_PROXY": "localhost, .corp.example"},
    {"HTTP_PROXY": "http://proxy:3128", "no_proxy": "127.0.0.1,localhost,127.0.0.1.sslip.io"},
    {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"},
    {"NO_PROXY": ".corp.example"},
]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


def prepared(checkout: Checkout, **environ: str) -> dict[str, str]:
    checkout.root.mkdir(exist_ok=True)
    env = environment(checkout, {"PATH": "/bin", **environ})
    prepare(checkout, env)
    return env


def test_the_checkouts_tools_come_first() -> None:
    path = environment(Checkout(Path("/here")), {"PATH": "/usr/bin:/bin"})["PATH"]
    assert path == "/here/.local/bin:/here/.venv/bin:/here/scripts:/usr/bin:/bin"


def test_state_and_passphrase_are_made_and_closed_to_others(checkout: Checkout) -> None:
    env = prepared(checkout)
    assert env["PULUMI_BACKEND_URL"] == f"file://{checkout.state}?metadata=skip", "a kill may leave it unreadable"
    assert checkout.state.is_dir()
    assert env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(checkout.passphrase)
    assert checkout.passphrase.stat().st_mode & 0o777 == 0o600
    assert len(checkout.passphrase.read_text()) >= 32


def test_a_passphrase_is_made_once(checkout: Checkout) -> None:
    prepared(checkout)
    first = checkout.passphrase.read_text()
    prepared(checkout)
    assert checkout.passphrase.read_text() == first


def test_a_backend_of_the_users_own_stays(checkout: Checkout) -> None:
    env = prepared(checkout, PULUMI_BACKEND_URL="s3://states")
    assert env["PULUMI_BACKEND_URL"] == "s3://states"
    assert not checkout.state.exists()


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_a_passphrase_of_the_users_own_stays(name: str, checkout: Checkout) -> None:
    env = prepared(checkout, **{name: "mine"})
    assert env[name] == "mine"
    assert len([key for key in env if key.startswith("PULUMI_CONFIG_PASSPHRASE")]) == 1
    assert not checkout.passphrase.exists()


def test_an_empty_passphrase_is_one(checkout: Checkout) -> None:
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in prepared(checkout, PULUMI_CONFIG_PASSPHRASE="")


def test_a_salt_without_its_passphrase_is_refused_before_anything_is_made(checkout: Checkout) -> None:
    checkout.root.mkdir()
    (checkout.root / "Pulumi.dev.yaml").write_text("config: {}\nencryptionsalt: v1:abc\n")
    with pytest.raises(ToolchainError, match=r"Pulumi\.dev\.yaml was encrypted .*sed -i"):
        prepared(checkout)
    assert not checkout.passphrase.exists()


def test_the_stack_is_dev_unless_pulumi_is_told_another() -> None:
    assert (stack_name({}), stack_name({"PULUMI_STACK": "mine"})) == ("dev", "mine")


@pytest.mark.parametrize(
    ("environ", "direct"),
    [
        (PROXIED[0], "127.0.0.1,localhost,127.0.0.1.sslip.io"),
        (PROXIED[1], "localhost,.corp.example,127.0.0.1,127.0.0.1.sslip.io"),
        (PROXIED[2], "127.0.0.1,localhost,127.0.0.1.sslip.io"),
        (PROXIED[3], "*"),
        (PROXIED[4], None),
    ],
)
def test_behind_a_proxy_this_machine_is_asked_directly(environ: dict[str, str], direct: str | None) -> None:
    made = environment(Checkout(Path("/here")), {"PATH": "/bin", **environ})
    expected = environ if direct is None else {"no_proxy": direct, "NO_PROXY": direct}
    for name in ("no_proxy", "NO_PROXY"):
        assert made.get(name) == expected.get(name), "gRPC between the engine and the program would go to the proxy"


def activated(shell: str, script: Path, **environ: str) -> dict[str, str]:
    """The variables after sourcing the script twice with `set -eu`, in a shell that has nothing else."""
    lines = "; ".join(f'printf "%s\\n" "${{{name}-(none)}}"' for name in VARIABLES)
    command = [shell, "-c", f'set -eu; source "$1"; source "$1"; {lines}', shell, str(script)]
    done = subprocess.run(command, env={"PATH": os.defpath, **environ}, capture_output=True, text=True, check=True)
    return dict(zip(VARIABLES, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "environ", [{}, {"PULUMI_BACKEND_URL": "s3://states", "PULUMI_CONFIG_PASSPHRASE": ""}, *PROXIED]
)
def test_activate_makes_the_same_environment(shell: str, environ: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "a checkout" / "scripts" / "activate"
    script.parent.mkdir(parents=True)
    shutil.copy(ACTIVATE, script)
    expected = environment(Checkout(script.parents[1]), {"PATH": os.defpath, **environ})
    assert activated(shell, script, **environ) == {name: expected.get(name, "(none)") for name in VARIABLES}
    assert [p.name for p in script.parents[1].iterdir()] == ["scripts"], "activating made a file"
