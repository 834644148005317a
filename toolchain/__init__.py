"""How `make up` gets its tools: chosen by what can be reached, installed into the checkout, told in one line each.

Everything it makes stands below `.local/`: `bin/` (links to the tools), `state/` and `passphrase` (Pulumi's, unless the
user has others), `sources.yaml` and `engine/` (offline only). The program never imports it: whoever has pulumi, kind
and docker does not need it.
"""


class ToolchainError(RuntimeError):
    """What is wrong, what was given, what is wanted and the command that mends it, in words for people."""
