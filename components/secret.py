"""A word made once and kept: a stack's identity or a generated password, in the state and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_command import local


def given_or_generated(name: str, given: pulumi.Output[str] | None) -> pulumi.Output[str]:
    """The secret that was given, or one that is made once."""
    return given or GeneratedWord(name, secret=True).value


async def revealed(value: Any) -> Any:
    """Nested values of a hook's arguments, where secrets arrive as outputs, with the secrets' own values."""
    if isinstance(value, pulumi.Output):
        return await revealed(await value.future())
    if isinstance(value, Mapping):
        return {key: await revealed(item) for key, item in value.items()}
    return value


class GeneratedWord(pulumi.ComponentResource):
    """24 random letters and digits, made at creation and the same in every later `up`."""

    value: pulumi.Output[str]
    """The word; a secret where `secret` was asked for."""

    def __init__(
        self, name: str, *, secret: bool, delete: str | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("knative-releases:index:GeneratedWord", name, None, opts)
        command = local.Command(
            f"{name}-word",
            create="python3 -c 'import secrets, string; "
            'print("".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(24)))\'',
            update='printf %s "$PULUMI_COMMAND_STDOUT"',
            delete=delete,
            logging=local.Logging.NONE,
            # stdout is the value itself: without this it stands in plain text in the state.
            opts=pulumi.ResourceOptions(
                parent=self, additional_secret_outputs=["stdout", "stderr"] if secret else None
            ),
        )
        self.value = command.stdout
        self.register_outputs({"value": self.value})
