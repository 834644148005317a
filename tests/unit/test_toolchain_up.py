"""`make up` and `make preview`: where a stack's sources come from is decided once, and nothing changes it unasked."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

import settings
from settings.local import with_sources
from tests.unit import releases_server
from tests.unit.releases_server import Releases
from tests.unit.toolchain_world import FAKE_PULUMI, asked, environ, executable, make, with_stack
from toolchain import ToolchainError, built, docker, install, pins, verbs
from toolchain.pins import Download
from toolchain.stack import Stack
from toolchain.state import Checkout

UP = "up --yes --skip-preview --stack dev"
CREATE = "--non-interactive stack select --create dev"
OURS = ".local/sources.yaml"


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=400)


@pytest.fixture(autouse=True)
def quiet_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, no proxy, a Docker that answers, and an offline build that may not be asked."""
    monkeypatch.setenv("KNATIVE_RELEASES_CACHE", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(docker, "problem", lambda _: None)
    monkeypatch.setattr(built, "build", lambda *_, **__: pytest.fail("something is built offline"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh clone: no tools, no stack."""
    (tmp_path / "checkout").mkdir()
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """The tools, published on the loopback; they are all that is asked for on a new machine."""
    with releases_server.serving() as releases:
        for name in ("pulumi", "kind"):
            releases.publish(name, FAKE_PULUMI.encode())
        downloads = tuple(releases.download(name, name) for name in ("pulumi", "kind"))
        use(monkeypatch, downloads)
        yield releases


def use(monkeypatch: pytest.MonkeyPatch, downloads: tuple[Download, ...]) -> None:
    """Let these be the tools, and nothing else be needed."""
    monkeypatch.setattr(pins, "downloads", lambda *_: downloads)
    places = tuple(download.checksums_url for download in downloads)
    monkeypatch.setattr(install, "upstream_places", lambda *_: places)
    monkeypatch.setattr("toolchain.reachable.PAUSE_SECONDS", 0.01)


def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every request fails the test."""
    monkeypatch.setattr(install, "unreachable", lambda *_: pytest.fail("the network is asked"))
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network is asked"))


def tools_built_offline(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the offline build be in .local/bin, and succeed when it is asked."""
    make(checkout.root)
    checkout.sources.write_text("manifests: /m\n")
    monkeypatch.setattr(built, "build", lambda *_, **__: None)


def recorded(checkout: Checkout) -> object:
    """The sources that the program finds for the stack, where its own settings say nothing."""
    raw = with_sources({}, "dev", checkout.root)
    return raw.get("sources")


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_fresh_clone_gets_its_tools_its_stack_and_the_environment(
    checkout: Checkout, releases: Releases, console: Console
) -> None:
    assert verbs.up(checkout, environ(checkout), console) == 0
    plugins = [f"plugin install resource {name} {version}" for name, version in pins.PLUGINS.items()]
    assert asked(checkout) == [*plugins, CREATE, UP]
    assert {link.name for link in checkout.bin.iterdir()} == {"pulumi", "kind"}
    assert recorded(checkout) == "{}", "the choice is not kept"
    assert set(releases.asked) == {"pulumi", "kind", "pulumi.sha256sum", "kind.sha256sum"}
    assert sorted(path.name for path in checkout.root.iterdir()) == [".local", "asked"], "made outside of .local"


def test_a_second_up_asks_nobody(
    checkout: Checkout, releases: Releases, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, version in pins.PLUGINS.items():
        (checkout.root / ".pulumi" / "plugins" / f"resource-{name}-v{version}").mkdir(parents=True)
    assert verbs.up(checkout, environ(checkout), console) == 0
    (checkout.root / "asked").unlink()
    releases.asked.clear()
    nobody_is_asked(monkeypatch)
    assert verbs.up(checkout, environ(checkout), console) == 0
    assert asked(checkout) == [CREATE, UP], "pulumi is asked for what is there"
    assert releases.asked == []


def test_a_provider_that_is_installed_half_is_installed_again(
    checkout: Checkout, releases: Releases, console: Console
) -> None:
    assert releases
    for name, version in pins.PLUGINS.items():
        folder = checkout.root / ".pulumi" / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True)
        folder.with_name(f"{folder.name}.partial").touch()
    verbs.up(checkout, environ(checkout), console)
    assert len([line for line in asked(checkout) if line.startswith("plugin install")]) == len(pins.PLUGINS)


def test_the_preview_prepares_the_same(checkout: Checkout, releases: Releases, console: Console) -> None:
    assert releases
    assert verbs.preview(checkout, environ(checkout), console) == 0
    assert asked(checkout)[-2:] == [CREATE, "preview --stack dev"]


def test_a_failing_up_is_the_failure_of_the_command(checkout: Checkout, releases: Releases, console: Console) -> None:
    releases.publish("pulumi", FAKE_PULUMI.replace("exit ", 'case "$1" in up) exit 5;; esac\nexit ').encode())
    assert verbs.up(checkout, environ(checkout), console) == 5


@pytest.mark.parametrize("made", ["upstream", "offline", "before", "named"])
def test_one_silent_host_changes_nothing_while_a_stack_lives(
    made: str, checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`before`: from upstream, by the version of before, which kept no record. `named`: its settings name the file."""
    tools_built_offline(checkout, monkeypatch)
    stacks = with_stack(checkout, 105)
    expected: dict[str, object] = {"upstream": "{}", "offline": OURS, "before": "{}", "named": None}
    if made in ("upstream", "offline"):
        Stack(checkout, {}).record("upstream" if made == "upstream" else "offline")
    if made == "named":
        checkout.settings_of("dev").write_text(f"config:\n  knative-releases:sources: {OURS}\n")
    before = {file: file.read_bytes() for file in checkout.root.glob("Pulumi.*.yaml")}
    folder = checkout.root / "upstream-pulumi-1"
    executable(folder / "pulumi", FAKE_PULUMI)
    monkeypatch.setattr(install, "_upstream", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/kind"
        use(monkeypatch, (Download("kind", "1.2.3", url, f"{url}.sha256sum"),))
        nobody_is_asked(monkeypatch)
        assert verbs.up(checkout, environ(checkout, STACKS=stacks), console) == 0
    assert recorded(checkout) == expected[made], "other sources: the cluster is replaced, and its data lost"
    assert before == {file: file.read_bytes() for file in checkout.root.glob("Pulumi.*.yaml")}
    assert (checkout.bin / "pulumi").exists(), "no pulumi while an abort may be wanted"
    assert not [line for line in asked(checkout) if "config" in line]
    assert asked(checkout)[-1] == UP


def test_other_sources_for_a_stack_that_lives_are_refused_with_the_commands(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools_built_offline(checkout, monkeypatch)
    stacks = with_stack(checkout, 105)
    Stack(checkout, {}).record("offline")
    with pytest.raises(ToolchainError) as refused:
        verbs.up(checkout, environ(checkout, STACKS=stacks, SOURCES="upstream"), console)
    for told in ("105 resources", "data in its stores lost", "make down && make up SOURCES=upstream"):
        assert told in str(refused.value), f"nobody is told {told}"
    assert recorded(checkout) == OURS
    assert asked(checkout) == ["--non-interactive stack ls --json"], "something was changed before"


def test_other_sources_for_a_stack_of_the_version_of_before_are_refused_too(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools_built_offline(checkout, monkeypatch)
    stacks = with_stack(checkout, 3)
    with pytest.raises(ToolchainError, match="make down && make up SOURCES=offline"):
        verbs.up(checkout, environ(checkout, STACKS=stacks, SOURCES="offline"), console)


@pytest.mark.parametrize("named", [False, True])
def test_an_empty_stack_takes_other_sources_by_the_word(
    named: bool, checkout: Checkout, releases: Releases, console: Console
) -> None:
    """`named`: its settings name the offline build's sources, as `make up` once had them."""
    assert releases
    make(checkout.root)
    stacks = with_stack(checkout, 0)
    if named:
        checkout.settings_of("dev").write_text(f"config:\n  knative-releases:sources: {OURS}\n")
    else:
        Stack(checkout, {}).record("offline")
    assert verbs.up(checkout, environ(checkout, STACKS=stacks, SOURCES="upstream"), console) == 0
    assert recorded(checkout) == "{}"
    removals = [line for line in asked(checkout) if "config rm knative-releases:sources" in line]
    assert len(removals) == named, "the settings still name the offline build, or lose what is not ours"


def test_a_new_stack_takes_the_tools_that_the_checkout_has(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools_built_offline(checkout, monkeypatch)
    nobody_is_asked(monkeypatch)
    assert verbs.up(checkout, environ(checkout), console) == 0
    assert recorded(checkout) == OURS


def test_sources_of_the_stacks_own_stay_and_nothing_is_recorded(
    checkout: Checkout, releases: Releases, console: Console
) -> None:
    assert releases
    text = "config:\n  knative-releases:sources: mirror.yaml\n"
    checkout.settings_of("dev").write_text(text)
    for word in ({}, {"SOURCES": "upstream"}):
        assert verbs.up(checkout, environ(checkout, **word), console) == 0
    assert checkout.settings_of("dev").read_text() == text
    assert recorded(checkout) is None


def test_a_mirror_that_does_not_answer_is_named_and_nothing_is_built(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {"images": {"docker.io/": "127.0.0.1:1/hub/", "gcr.io/": "127.0.0.1:1/gcr/"}, "charts": "/charts"}
    config = {"config": {"knative-releases:sources": sources}}
    checkout.settings_of("dev").write_text(yaml.safe_dump(config))
    monkeypatch.setattr("toolchain.reachable.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pins, "downloads", lambda *_: ())
    with pytest.raises(ToolchainError, match=r"127\.0\.0\.1:1 \(.*refused.*make up SOURCES=upstream"):
        verbs.up(checkout, environ(checkout), console)


def test_docker_is_asked_for_before_anything_is_downloaded(
    checkout: Checkout, releases: Releases, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker, "problem", lambda _: "Docker does not answer. Start it: open -a Docker")
    with pytest.raises(ToolchainError, match="open -a Docker"):
        verbs.up(checkout, environ(checkout), console)
    assert not [path for path in releases.asked if not path.endswith(".sha256sum")]
    existing = {"config": {"knative-releases:cluster": {"provider": "existing", "context": "mine"}}}
    checkout.settings_of("dev").write_text(yaml.safe_dump(existing))
    assert verbs.up(checkout, environ(checkout), console) == 0, "an existing cluster needs no Docker"


def test_the_tools_of_before_stay_until_the_new_ones_are_ready(
    checkout: Checkout, releases: Releases, console: Console
) -> None:
    make(checkout.root)
    before = (checkout.bin / "pulumi").read_text()
    releases.files["kind"] = b"broken"
    with pytest.raises(ToolchainError, match="is not the file that was published"):
        verbs.up(checkout, environ(checkout, SOURCES="upstream"), console)
    assert (checkout.bin / "pulumi").read_text() == before


def test_the_program_finds_what_was_recorded_and_its_own_settings_go_first(tmp_path: Path) -> None:
    stack = Stack(Checkout(tmp_path), {"PULUMI_STACK": "organization/knative-releases/prod"})
    stack.record("offline")
    (tmp_path / OURS).write_text("manifests: /offline\n")
    raw = with_sources({}, "prod", tmp_path)
    assert settings.load(raw, tmp_path).sources.manifests == "/offline"
    own = {"sources": json.dumps({"manifests": "/mine"})}
    assert settings.load(with_sources(own, "prod", tmp_path), tmp_path).sources.manifests == "/mine"
    assert with_sources({}, "dev", tmp_path) == {}, "one stack's choice is another one's"
    stack.record("upstream")
    found = settings.load(with_sources({}, "prod", tmp_path), tmp_path).sources
    assert found == settings.load({}, tmp_path).sources, "upstream is not the default"


def test_a_recorded_file_that_is_gone_is_no_upstream(tmp_path: Path) -> None:
    Stack(Checkout(tmp_path), {}).record("offline")
    with pytest.raises(settings.SettingsError, match=r"make up SOURCES=offline"):
        settings.load(with_sources({}, "dev", tmp_path), tmp_path)


@pytest.mark.parametrize("text", ["", "sources:", "- a", "{broken", "sources: [a]"])
def test_a_record_that_says_nothing_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / ".local" / "stacks" / "dev.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(settings.SettingsError, match=r"\.local/stacks/dev\.yaml"):
        with_sources({}, "dev", tmp_path)
