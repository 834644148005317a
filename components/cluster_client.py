"""A client of the cluster's API that a kubeconfig names. Importing it costs 0.2 s, so only who asks a cluster does."""

from __future__ import annotations

import functools
import ssl
import tempfile
from typing import Any

import kubernetes
import yaml

GROUP, VERSION = "serving.knative.dev", "v1"
"""Knative Serving's API."""
SECONDS = 10
"""Longest wait for one answer of the cluster."""


@functools.lru_cache(maxsize=1)
def cluster_client(kubeconfig: str) -> Any:
    """A client that does not retry, and keeps no file.

    The library wants certificate and key as files for as long as it lives, and ssl wants files to load: here they are
    there, closed to others, while one ssl context is made from them.
    """
    configuration = kubernetes.client.Configuration()
    configuration.retries = False
    with tempfile.TemporaryDirectory() as folder:
        client = kubernetes.config.new_client_from_config_dict(
            yaml.safe_load(kubeconfig), temp_file_path=folder, client_configuration=configuration
        )
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        if not configuration.verify_ssl:  # insecure-skip-tls-verify: as the user's kubectl does
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    options = client.rest_client.pool_manager.connection_pool_kw
    for file in ("ca_certs", "cert_file", "key_file"):
        del options[file]
    options["ssl_context"] = context
    return client
