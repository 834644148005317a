"""The SDK's debug messages without secrets.

It writes the outputs of components and of the stack into them, secrets in plain text: seen with `pulumi up --debug`,
and in the engine's log from `-v=4` on.
"""

from __future__ import annotations

from typing import Any

import pulumi

# No password: Pulumi's mark of a secret value, on the wire and in messages.
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # nosec B105
_say = pulumi.log.debug


def without_secrets() -> None:
    """From now on, debug messages that hold a secret are told without their text."""
    pulumi.log.debug = _debug


def _debug(msg: str, *arguments: Any, **named: Any) -> None:
    _say(f"{msg.partition('props=')[0]}… [secret]" if SECRET in msg else msg, *arguments, **named)
