"""Guided rollouts of a service: steps, verdicts, promotion or the way back, each an ordinary update of the stack.

Only the stack's configuration is written here, and only `pulumi up` changes the cluster.
"""


class RolloutError(Exception):
    """What cannot be done, why, and the command that mends it, in words for people."""
