"""The image of the cluster's node, pulled before anything is made: a step of its own, with a limit of its own.

kind would pull it too, but silently and within the time that the cluster's creation has. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.kind.processes import CommandError, run, say, watched

PULL_SECONDS = 45 * 60.0
"""Limit of a pull. The image is about 0.45 GB: 12 minutes at 5 Mbit/s."""
DONE = ("Pull complete", "Already exists")
"""What `docker pull` prints of a layer that is there."""


def pull(image: str) -> None:
    """Pull an image that Docker does not have. Raises CommandError when it fails."""
    if present(image):
        return
    say(f"pulling the node's image {image}")
    try:
        watched("docker", "pull", image, what="pulling the node's image", seconds=PULL_SECONDS, doing=layers)
    except CommandError as error:
        raise CommandError(
            f"the node's image {image} is not there, and cannot be pulled. {error}\n"
            f"    See whether it can, for as long as it takes: docker pull {image}\n"
            "    Then: pulumi up. From a mirror: pulumi config set --path "
            "'knative-releases:sources.images[\"docker.io/kindest/node\"]' <registry>/kindest/node"
        ) from None
    say("the node's image is there")


def present(image: str) -> bool:
    """Whether Docker has the image, by its tag or digest, pulled or loaded."""
    try:
        run("docker", "image", "inspect", "--format", "{{.Id}}", image)
    except CommandError:
        return False
    return True


def layers(lines: Sequence[str]) -> str:
    """How many layers are there, by the lines of `docker pull` (`<layer>: <what is done with it>`). Pure."""
    last = dict(line.split(": ", 1) for line in lines if ": " in line and " " not in line.partition(": ")[0])
    known = {layer: doing for layer, doing in last.items() if len(layer) == 12}
    done = sum(doing.startswith(DONE) for doing in known.values())
    return f"{done} of {len(known)} layers are there" if known else "no layer is known yet"
