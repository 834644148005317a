"""Every version that the offline toolchain pins, in one table.

The Go modules below `offline/go` pin the same versions, with checksums, in their `go.mod` and `go.sum`; a unit test
holds the two together. Images and manifests carry the names that upstream gives them, so a version here is the version
a user would ask upstream for; where the Go module is numbered differently, both stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PULUMI: Final = "3.226.0"
# The last host that is a package of the SDK module; later ones live in a module that the registry does not have.
PULUMI_LANGUAGE_PYTHON: Final = "3.78.0"
KUBERNETES_PROVIDER: Final = "4.25.0"
KUBERNETES_PROVIDER_MODULE: Final = "v4.0.0-20260115033456-f47bc2d6f199"
COMMAND_PROVIDER: Final = "1.2.1"

KIND: Final = "0.30.0"
KUBERNETES: Final = "1.34.0"
ETCD: Final = "3.6.4"
COREDNS: Final = "1.12.1"
PAUSE: Final = ("3.10", "3.10.1")

# Knative Serving: the release, and the Go module that it was made from. The first is the default; the others are built
# when they are asked for.
SERVING: Final[Mapping[str, str]] = {"1.10.2": "v0.37.2", "1.23.0": "v0.50.0"}
# The releases that the manifest stands in for, by Serving's, and the only net-kourier that the module registry has.
KOURIER: Final[Mapping[str, str]] = {"1.10.2": "1.10.0", "1.23.0": "1.23.0"}
KOURIER_MODULE: Final = "v0.28.0"
ENVOY: Final = "1.40.0"

KAFKA: Final = "3.4.1"
POSTGRESQL: Final = "15"
REDIS: Final = "7.0"
KAFKA_CHART: Final = "22.1.5"
POSTGRESQL_CHART: Final = "12.5.7"
REDIS_CHART: Final = "17.11.3"
