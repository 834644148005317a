"""Constrained values of the settings: each alias says once what a value may be, and how that is told to a person."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

DNS_LABEL_LENGTH = 63
"""Longest DNS label, RFC 1035; Kubernetes and Knative names that become host names keep to it."""
HOST_LENGTH = 253
"""Longest host name, RFC 1035 as Kubernetes counts it: without the last dot."""


def _whole_number(value: Any) -> Any:
    # A number set by `pulumi config set` arrives as text; a fraction or a boolean is never a number of percent.
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value.strip()):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


def _text(value: Any) -> Any:
    # YAML and `pulumi config set --path` turn true and 1 into other types; an environment variable is always text.
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _exact_text(value: Any) -> Any:
    # YAML reads 1.10 as the number 1.1: what was meant is not in it any more.
    if isinstance(value, float):
        raise ValueError("the text as it was meant, in quotes: a number loses the zeros at its end (1.10 is 1.1)")
    if isinstance(value, str) and TIME.fullmatch(value):
        raise ValueError("the text as it was meant, in quotes: YAML makes a time of a date")
    return _text(value)


TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+")
"""What Pulumi makes of a date or a time that is written without quotes."""


def _no_url(value: str) -> str:
    if "://" in value or value.strip() != value:
        raise ValueError("an image repository without scheme and blanks")
    return value


WANTED: dict[str, str] = {}
"""What a person is told a text has to be, by the pattern that it does not match."""


def _matching(pattern: str, wanted: str, max_length: int | None = None) -> StringConstraints:
    WANTED[pattern] = wanted
    return StringConstraints(pattern=pattern, max_length=max_length)


def _within_limits(value: str) -> str:
    seconds = int(value[:-1]) * (60 if value.endswith("m") else 1)
    if not SHORTEST_WAIT <= seconds <= LONGEST_WAIT:
        raise ValueError(_WAIT)
    return value


SHORTEST_WAIT, LONGEST_WAIT = 10, 600
"""Bounds of a wait for readiness, in seconds. Knative itself gives a revision up after 600."""
_WAIT = "10s to 10m, as a whole number of seconds or minutes such as 90s or 2m"

WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Percent = Annotated[WholeNumber, Field(ge=0, le=100)]
"""Share of a service's requests, in whole percent, 0 to 100."""
Port = Annotated[WholeNumber, Field(ge=1, le=65535)]
Scale = Annotated[WholeNumber, Field(ge=0, le=10_000)]
"""Number of pods."""
Replicas = Annotated[WholeNumber, Field(ge=1, le=100)]
"""Number of pods of a part that the requests go through."""
Text = Annotated[str, BeforeValidator(_text)]
ExactText = Annotated[str, BeforeValidator(_exact_text)]
"""A text whose every character counts, so that a number with a point that YAML made of it will not do."""
Label = Annotated[
    str,
    _matching(
        r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
        "lower-case letters, digits and '-', beginning with a letter and not ending with '-'",
        DNS_LABEL_LENGTH,
    ),
]
"""DNS label that Kubernetes accepts as a Service name (RFC 1035)."""
Version = Annotated[
    ExactText,
    _matching(
        r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$",
        "an image tag such as v1.1.0, or a digest sha256:<64 hexadecimal digits>",
    ),
]
"""Image tag (OCI: at most 128 of letters, digits, `_`, `.`, `-`) or digest `sha256:…`."""
EnvironmentName = Annotated[
    str, _matching(r"^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and '_', not beginning with a digit")
]
Quantity = Annotated[
    Text,
    _matching(r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", "a Kubernetes quantity such as 100m, 64Mi, 1Gi or 2"),
]
Wait = Annotated[Text, _matching(r"^[0-9]{1,3}[sm]$", _WAIT), AfterValidator(_within_limits)]
"""How long an `up` waits, as Pulumi writes a duration."""
SemanticVersion = Annotated[
    ExactText, _matching(r"^[0-9]+\.[0-9]+\.[0-9]+$", "a version of three numbers such as 1.10.2")
]
DomainName = Annotated[
    str,
    _matching(
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
        "a domain name such as 127.0.0.1.sslip.io, of at most 63 characters between two dots",
        HOST_LENGTH - 2 * (DNS_LABEL_LENGTH + 1),
    ),
]
"""Domain that leaves room for `<tag>-<service>.<namespace>.`, two whole labels, before it."""
Repository = Annotated[str, AfterValidator(_no_url), StringConstraints(min_length=1)]
_INTERVAL = "1s to 24h, as a whole number of seconds, minutes or hours such as 60s or 5m"


def _interval_within_limits(value: str) -> str:
    if not 1 <= seconds(value) <= 24 * 3600:
        raise ValueError(_INTERVAL)
    return value


def seconds(value: str) -> float:
    """Seconds of an Interval or a Latency: `90s`, `5m`, `1h`, `250ms`, `0.5s`."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", value).groups()  # type: ignore[union-attr] # its type says so
    return float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


Interval = Annotated[Text, _matching(r"^[0-9]{1,5}[smh]$", _INTERVAL), AfterValidator(_interval_within_limits)]
"""How long something is observed, 1 second to 24 hours."""
Rate = Annotated[
    Text, _matching(r"^(100|[0-9]{1,2}(\.[0-9]{1,3})?)%$", "a share with its unit, 0% to 100%, such as 1% or 0.5%")
]
"""Share of requests."""
_TIMES = r"[1-9][0-9]{0,2}(\.[0-9]{1,2})?x"
_OR_TIMES = "a factor of stable's such as 1.2x, or none for no comparison"
RateIncrease = Annotated[
    Text,
    _matching(
        rf"^((100|[0-9]{{1,2}}(\.[0-9]{{1,3}})?)%|{_TIMES}|none)$",
        f"percentage points such as 1% or 0.5%, {_OR_TIMES}",
    ),
]
"""How much larger a share may be than stable's."""
LatencyIncrease = Annotated[
    Text,
    _matching(
        rf"^([0-9]{{1,5}}ms|[0-9]{{1,3}}(\.[0-9]{{1,3}})?s|{_TIMES}|none)$",
        f"a time with its unit such as 100ms, {_OR_TIMES}",
    ),
]
"""How much longer than stable's a time may be."""
Latency = Annotated[
    Text, _matching(r"^([0-9]{1,5}ms|[0-9]{1,3}(\.[0-9]{1,3})?s)$", "a time with its unit such as 500ms or 1.5s")
]
"""How long a request may take."""
