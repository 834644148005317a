"""What the releases look like now: what the settings want, what the cluster reports, what requests observe.

Nothing here changes the stack or the cluster.
"""


class StatusError(Exception):
    """What cannot be shown, why, and the command that mends it, in words for people."""
