"""Analysis of a rollout: what the tracks of a service did in a window of time, whether the candidate may go on, and the
report of it all.

Nothing here changes the stack or the cluster.
"""


class AnalysisError(Exception):
    """What cannot be analysed, why, and the command or option that mends it, in words for people."""
