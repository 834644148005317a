"""Walk-throughs: Markdown documents whose ```shell blocks are typed into one bash, and whose ```text blocks say what
that printed.

What a document shows is what came, but for what differs from run to run:

- `…` stands for any characters within a line; a line of nothing but `…` for any lines, also none.
- `~40` stands for a whole number by chance. The numbers of a block add up to what the document says, and each lies in
  the exact binomial window of its share.
- Blanks at the ends of lines, and how many there are between words, do not count.
- The stack is named `dev` and the ingress listens at port 80, as in the committed settings. Pulumi's dots of progress
  are left out, and its warnings of where on PATH it found a plugin: both depend on the machine.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scipy.stats import binom

from tests.e2e.traffic import FALSE_ALARM

SECONDS = 300
"""Longest time that one block may take."""
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NOISE = re.compile(
    r"^(@ (previewing update|updating)\.+|.*warning: using pulumi-\S+ from \$PATH at .*)\n", re.MULTILINE
)
_MASK = re.compile(r"…|~(\d+)")


class WalkthroughError(AssertionError):
    """A document does not say what happens; the message shows both."""


@dataclass(frozen=True)
class Step:
    """What a person types, and what the document shows of what comes; None where it shows nothing."""

    typed: str
    shown: str | None


def steps(markdown: str) -> list[Step]:
    """The steps of a document, in its order. Pure. Raises ValueError for a ```text block that follows no command."""
    found: list[Step] = []
    for language, text in _FENCE.findall(markdown):
        if language == "shell":
            found.append(Step(text, None))
        elif language == "text":
            if not found or found[-1].shown is not None:
                raise ValueError(f"a text block follows no shell block: {text}")
            found[-1] = Step(found[-1].typed, text)
    return found


def differences(shown: str, came: str) -> list[str]:
    """What differs between what a document shows and what came, in words; empty when they agree. Pure."""
    lines = [_squeezed(line) for line in shown.strip().splitlines()]
    text = "".join(f"{_squeezed(line)}\n" for line in came.strip().splitlines())
    match = re.fullmatch("".join(_pattern(line) for line in lines), text)
    if not match:
        return [f"shown:\n{_indented(shown)}\ncame:\n{_indented(came)}"]
    wanted = [int(mask[1]) for line in lines for mask in _MASK.finditer(line) if mask[1]]
    return list(_outside(wanted, [int(number) for number in match.groups()]))


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip().splitlines())


def _pattern(line: str) -> str:
    """Regular expression of a line, its end included, with one group for each `~` number."""
    if line == "…":
        return r"(?:.*\n)*?"
    parts, end = [], 0
    for mask in _MASK.finditer(line):
        parts += [re.escape(line[end : mask.start()]), r"(\d+)" if mask[1] else ".*?"]
        end = mask.end()
    return "".join([*parts, re.escape(line[end:]), r"\n"])


def _outside(wanted: list[int], seen: list[int]) -> Iterator[str]:
    total = sum(wanted)
    if sum(seen) != total:
        yield f"{' + '.join(map(str, seen))} is not {total}"
    for share, number in zip(wanted, seen, strict=True):
        low, high = (int(x) for x in binom.interval(1 - FALSE_ALARM, total, share / total))
        if not low <= number <= high:
            yield f"~{share} of {total} allows {low} to {high}; {number} came"


class Shell:
    """One bash, into which blocks are typed one after the other; a failing command ends it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._mark = f"end-of-block-{secrets.token_hex(8)}"
        self._bash = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail"],
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._bash.communicate()

    def type(self, block: str) -> str:
        """What a block prints, errors included. Raises WalkthroughError where a command of it fails or hangs."""
        assert self._bash.stdin and self._bash.stdout
        # By eval, so that a block with a mistake in its quotes cannot swallow the mark, nor a command what follows it.
        quoted = block.replace("'", "'\\''")
        self._bash.stdin.write(f"eval '{quoted}' </dev/null\necho; echo {self._mark}\n")
        self._bash.stdin.flush()
        watchdog = threading.Timer(SECONDS, self._end)
        watchdog.start()
        lines: list[str] = []
        try:
            for line in self._bash.stdout:
                if line.rstrip("\n") == self._mark:
                    return "".join(lines)
                lines.append(line)
        finally:
            watchdog.cancel()
        raise WalkthroughError(f"this failed, or took more than {SECONDS} s:\n{block}\n{''.join(lines)}")

    def _end(self) -> None:
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, signal.SIGKILL)


def as_in_the_documents(output: str, stack: str, port: int) -> str:
    """Output with the names that the documents use, stack `dev` and port 80, without pulumi's noise. Pure."""
    named = output.replace(f"127.0.0.1.sslip.io:{port}", "127.0.0.1.sslip.io").replace(stack, "dev")
    return _NOISE.sub("", named)


def walk(document: Path, shell: Shell, stack: str, port: int) -> None:
    """Type a document's blocks in order. Raises WalkthroughError at the first that does not print what it shows."""
    found = steps(document.read_text())
    if not found:
        raise WalkthroughError(f"{document.name} has nothing to type: no ```shell block")
    for number, step in enumerate(found, 1):
        came = as_in_the_documents(shell.type(step.typed), stack, port)
        differs = differences(step.shown, came) if step.shown is not None else []
        if differs:
            raise WalkthroughError("\n".join([f"{document.name}, block {number}:", _indented(step.typed), *differs]))
