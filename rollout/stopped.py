"""What ends the tool in order: ctrl-C, SIGTERM, a second of them; and a terminal that is closed, which does not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A signal ends the tool."""

    def __init__(self, number: int) -> None:
        """number: the signal's."""
        super().__init__(number)
        self.number = number
        self.left = ""
        """What the rollout is left at; empty: no rollout was driven."""

    @property
    def name(self) -> str:
        """As people know it."""
        return "ctrl-C" if self.number == signal.SIGINT else signal.Signals(self.number).name

    @property
    def code(self) -> int:
        """The exit code, as a shell has it: 130 for ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


def listen(on_hangup: Callable[[], None]) -> None:
    """Have signals end this process by Stopped. A closed terminal does not: a bad version would keep its share, and
    nobody would look.

    on_hangup: is called then, at most once.
    """
    for number in ENDING:
        signal.signal(number, _raise)

    def hung_up(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        on_hangup()

    signal.signal(signal.SIGHUP, hung_up)


def _raise(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


@contextmanager
def ended_in_order(interrupt: Callable[[], None], finish: bool) -> Iterator[list[int]]:
    """While an update runs, a signal has it end in order, and is raised when it has. Raised at once, it would close the
    pipe that pulumi writes to, and kill it.

    interrupt: has the update end.
    finish: the first signal leaves the update to its end; the second one ends it.

    Gives the signals that came. Where the update came to its end in spite of them, they are not raised: the caller has
    something to tell first.
    """
    told: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def tell(number: int, _frame: object) -> None:
        told.append(number)
        if not finish or len(told) > 1:
            interrupt()

    before = {number: signal.signal(number, tell) for number in ENDING}
    try:
        yield told
    except Exception as error:
        if told:
            raise Stopped(told[0]) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
