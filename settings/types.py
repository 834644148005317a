"""Constrained values of the settings: each alias says once what a value may be, and how that is told to a person."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

DNS_LABEL_LENGTH = 63
"""Longest DNS label, RFC 1035; Kubernetes and Knative names that become host names keep to it."""


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


def _no_url(value: str) -> str:
    if "://" in value or value.strip() != value:
        raise ValueError("an image repository without scheme and blanks")
    return value


WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Percent = Annotated[WholeNumber, Field(ge=0, le=100)]
"""Share of a service's requests, in whole percent, 0 to 100."""
Port = Annotated[WholeNumber, Field(ge=1, le=65535)]
Scale = Annotated[WholeNumber, Field(ge=0, le=10_000)]
"""Number of pods."""
Text = Annotated[str, BeforeValidator(_text)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=DNS_LABEL_LENGTH)]
"""DNS label that Kubernetes accepts as a Service name (RFC 1035)."""
Version = Annotated[Text, StringConstraints(pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$")]
"""Image tag (OCI: at most 128 of letters, digits, `_`, `.`, `-`) or digest `sha256:…`."""
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Quantity = Annotated[Text, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
"""Kubernetes quantity: `10m`, `32Mi`, `1Gi`, `2`."""
SemanticVersion = Annotated[Text, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
DomainName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
Repository = Annotated[str, AfterValidator(_no_url), StringConstraints(min_length=1)]
