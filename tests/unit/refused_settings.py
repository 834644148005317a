"""Configurations that are refused: each with the one key path to blame, what was given and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

V = {"version": "v1.1.0"}
EXISTING = {"provider": "existing", "context": "c"}


def frontend(stable: Mapping[str, Any] | None = None, **tracks: Any) -> dict[str, Any]:
    """A configuration of the frontend alone."""
    return {"services": {"frontend": {"stable": stable or {}, "tracks": tracks}}}


# Configuration, key path of the only problem, part of what was given, part of what is wanted.
REFUSED = {
    "a percentage over 100": (
        frontend(x={**V, "percent": 101}),
        "services.frontend.tracks.x.percent",
        "101",
        "at most 100",
    ),
    "a percentage under 0": (
        frontend(x={**V, "percent": -1}),
        "services.frontend.tracks.x.percent",
        "-1",
        "at least 0",
    ),
    "a fraction": (frontend(x={**V, "percent": 0.5}), "services.frontend.tracks.x.percent", "0.5", "a whole number"),
    "a boolean percentage": (
        frontend(x={**V, "percent": True}),
        "services.frontend.tracks.x.percent",
        "true",
        "a whole number",
    ),
    "an empty percentage": (
        frontend(x={**V, "percent": None}),
        "services.frontend.tracks.x.percent",
        "null",
        "a whole number",
    ),
    "a canaryPercent that is a word": ({"canaryPercent": "half"}, "canaryPercent", '"half"', "a whole number"),
    "a canaryPercent over 100": ({"canaryPercent": "101"}, "canaryPercent", '"101"', "at most 100"),
    "a wait without its unit": ({"readyWithin": "90"}, "readyWithin", '"90"', "such as 90s or 2m"),
    "a wait that Pulumi cannot read": ({"readyWithin": "2 minutes"}, "readyWithin", '"2 minutes"', "10s to 10m"),
    "a wait too short for any pod": ({"readyWithin": "9s"}, "readyWithin", '"9s"', "10s to 10m"),
    "a wait longer than Knative's own": ({"readyWithin": "11m"}, "readyWithin", '"11m"', "10s to 10m"),
    "shares over 100 in all": (
        frontend(x={**V, "percent": 60}, y={**V, "percent": 41}),
        "services.frontend.tracks",
        "x 60 + y 41 = 101 percent",
        "at most 100 percent in all",
    ),
    "a tag of stable used again": (
        frontend({"tag": "blue"}, x={**V, "tag": "blue"}),
        "services.frontend.tracks.x.tag",
        '"blue", which stable has too',
        "a tag of its own",
    ),
    "a tag of two tracks": (
        frontend(x={**V, "tag": "t"}, y={**V, "tag": "t"}),
        "services.frontend.tracks.y.tag",
        "tracks.x has too",
        "a tag of its own",
    ),
    "a tag too long once joined": (
        frontend({"tag": "t" * 55}),
        "services.frontend.stable.tag",
        "(64 characters)",
        "at most 63 characters once joined",
    ),
    "a track too long once joined": (
        frontend(**{"t" * 44: V}),
        f"services.frontend.tracks.{'t' * 44}",
        "(53 characters)",
        "at most 52 characters once joined",
    ),
    "a tag with capitals": (frontend({"tag": "Blue"}), "services.frontend.stable.tag", '"Blue"', "lower-case letters"),
    "a track name with a dot": (
        frontend(**{"a.b": V}),
        "services.frontend.tracks.a.b",
        'the name "a.b"',
        "lower-case letters",
    ),
    "a track named stable": (
        {"services": {"frontend": {"tracks": {"stable": V}}}},
        "services.frontend.tracks.stable",
        "a track named stable",
        "another name",
    ),
    "a track without a version": (
        frontend(x={"percent": 1}),
        "services.frontend.tracks.x.version",
        "nothing",
        "required",
    ),
    "a version with a blank": (
        frontend({"version": "v 1"}),
        "services.frontend.stable.version",
        '"v 1"',
        "an image tag",
    ),
    "a version that YAML read as a number": (
        frontend({"version": 1.1}),
        "services.frontend.stable.version",
        "1.1",
        "in quotes",
    ),
    "a track's version that YAML read as a number": (
        frontend(x={"version": 1.0}),
        "services.frontend.tracks.x.version",
        "1.0",
        "in quotes",
    ),
    "a restart that YAML read as a number": (
        frontend({"restart": 1.5}),
        "services.frontend.stable.restart",
        "1.5",
        "in quotes",
    ),
    "a release's version that YAML read as a number": (
        {"knative": {"version": 1.1}},
        "knative.version",
        "1.1",
        "in quotes",
    ),
    "a release's version with a v": ({"knative": {"version": "v1.10.2"}}, "knative.version", '"v1.10.2"', "1.10.2"),
    "a chart version of two numbers": (
        {"kafka": {"chartVersion": "22.1"}},
        "kafka.chartVersion",
        '"22.1"',
        "three numbers",
    ),
    "another major version of a chart, which has other data": (
        {"postgresql": {"chartVersion": "15.5.38"}},
        "postgresql.chartVersion",
        '"15.5.38"',
        "12.x.y",
    ),
    "another major version of Kafka's chart": (
        {"kafka": {"chartVersion": "26.4.4"}},
        "kafka.chartVersion",
        '"26.4.4"',
        "22.x.y",
    ),
    "another major version of Redis' chart": (
        {"redis": {"chartVersion": "7.0.0"}},
        "redis.chartVersion",
        '"7.0.0"',
        "17",
    ),
    "a variable that YAML read as a number": (
        frontend({"env": {"RATE": 1.1}}),
        "services.frontend.stable.env.RATE",
        "1.1",
        "in quotes",
    ),
    "a variable that Knative sets": (
        frontend(x={**V, "env": {"PORT": "8080"}}),
        "services.frontend.tracks.x.env.PORT",
        "the variable PORT",
        "K_SERVICE",
    ),
    "a variable of Knative's own": (
        frontend({"env": {"K_REVISION": "mine"}}),
        "services.frontend.stable.env.K_REVISION",
        "the variable K_REVISION",
        "another name",
    ),
    "more pods at least than at most": (
        frontend({"minScale": 5, "maxScale": 2}),
        "services.frontend.stable.minScale",
        "5, and maxScale is 2",
        "at most maxScale",
    ),
    "a version that begins without pods": (
        frontend(x={**V, "initialScale": 0}),
        "services.frontend.tracks.x.initialScale",
        "0",
        "at least 1",
    ),
    "a domain with a part that no name server knows": (
        {"knative": {"domain": "a" * 64 + ".test"}},
        "knative.domain",
        "aaa",
        "63 characters",
    ),
    "a domain that leaves no room for the services' names": (
        {"knative": {"domain": ".".join(["a" * 50] * 3)}},
        "knative.domain",
        "aaa",
        "at most 125 characters",
    ),
    "a size that is no quantity": ({"redis": {"size": "big"}}, "redis.size", '"big"', "quantity"),
    "a variable's name with a dash": (
        frontend({"env": {"A-B": "x"}}),
        "services.frontend.stable.env.A-B",
        'the name "A-B"',
        "letters, digits and '_'",
    ),
    "a port out of range": ({"cluster": {"httpPort": 70000}}, "cluster.httpPort", "70000", "at most 65535"),
    "another provider": ({"cluster": {"provider": "minikube"}}, "cluster.provider", '"minikube"', "'kind'"),
    "an existing cluster without its context": (
        {"cluster": {"provider": "existing"}},
        "cluster.context",
        "nothing",
        "kubectl config get-contexts",
    ),
    "a port of an existing cluster": (
        {"cluster": {"provider": "existing", "context": "c", "httpPort": 81}},
        "cluster.httpPort",
        '"81"',
        "a cluster of provider existing has no such setting",
    ),
    "a context of a kind cluster": (
        {"cluster": {"context": "c"}},
        "cluster.context",
        '"c"',
        "a cluster of provider kind has no such setting",
    ),
    "a kind cluster with a Knative in it": (
        {"knative": {"install": False}},
        "knative.install",
        "false",
        "nothing is in the cluster",
    ),
    "a version of a Knative that is there": (
        {"cluster": EXISTING, "knative": {"install": False, "version": "1.10.2"}},
        "knative.version",
        "a value",
        "is not changed",
    ),
    "replicas of a gateway that is there": (
        {
            "cluster": {"provider": "existing", "context": "c"},
            "knative": {"install": False},
            "kourier": {"replicas": 2},
        },
        "kourier.replicas",
        "a value",
        "is not changed",
    ),
    "a proxy with a login": (
        {"network": {"proxy": {"https": "http://me:pw@proxy:3128"}}},
        "network.proxy.https",
        "me:pw",
        "without a login",
    ),
    "a proxy that is no HTTP proxy": (
        {"network": {"proxy": {"http": "proxy:3128"}}},
        "network.proxy.http",
        "proxy:3128",
        "http://host:port",
    ),
    "a node's registries on an existing cluster": (
        {"cluster": EXISTING, "network": {"registries": "registries"}},
        "network.registries",
        "a folder",
        "pull secrets",
    ),
    "a proxy for a Knative that is there": (
        {"cluster": EXISTING, "knative": {"install": False}, "network": {"proxy": {"http": "http://proxy:1"}}},
        "network.proxy",
        "a value",
        "is not changed",
    ),
    "entries of a Knative that is there": (
        {"cluster": EXISTING, "knative": {"install": False, "config": {"config-gc": {"a": "b"}}}},
        "knative.config",
        "a value",
        "is not changed",
    ),
    "no domain on a kind cluster": ({"knative": {"domain": None}}, "knative.domain", "null", "a domain name"),
    "no gateway at all": ({"kourier": {"replicas": 0}}, "kourier.replicas", "0", "at least 1"),
    "a word where a mapping is": ({"cluster": "dev"}, "cluster", '"dev"', "a mapping"),
    "a list where a mapping is": ({"services": ["frontend"]}, "services", '["frontend"]', "a mapping"),
    "broken JSON": ({"cluster": "{name: dev"}, "cluster", "{name: dev", "a mapping"),
    "an unknown key": ({"canaryPercnt": 10}, "canaryPercnt", "an unknown key", "did you mean canaryPercent?"),
    "an unknown key of a track": (
        frontend(x={**V, "percnt": 1}),
        "services.frontend.tracks.x.percnt",
        "an unknown key",
        "did you mean percent?",
    ),
    "an unknown key of the cluster": ({"cluster": {"http_prt": 80}}, "cluster.http_prt", "an unknown key", "httpPort"),
    "a percent of stable": (frontend({"percent": 10}), "services.frontend.stable.percent", "an unknown key", "one of"),
    "an unknown service": (
        {"services": {"fronted": {}}},
        "services.fronted",
        "an unknown service",
        "c4p-service, frontend",
    ),
    "a missing sources file": (
        {"sources": "nowhere.yaml"},
        "sources",
        '"nowhere.yaml"',
        "a YAML file that holds one and exists",
    ),
    "an image with a scheme": (
        {"sources": {"images": {"https://a/b": "c"}}},
        "sources.images.https://a/b",
        "https://a/b",
        "without scheme",
    ),
}
