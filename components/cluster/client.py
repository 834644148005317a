"""A client of the cluster's API that a kubeconfig names. Importing it costs 0.2 s, so only who asks a cluster does."""

from __future__ import annotations

import base64
import copy
import functools
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import kubernetes
import urllib3
import yaml

from components.proxies import checked, proxy_of

GROUP, VERSION = "serving.knative.dev", "v1"
"""Knative Serving's API."""
SECONDS = 10
"""Longest wait for one answer of the cluster."""
_DATA = "-data"
_TRIES = 20
"""Of one request that the API server puts off, a second each: it does so while its storage starts, some 10 s after it
has reported that it is ready (seen with Kubernetes 1.34 after `docker start` of a node).
"""


class _WhenAsked(urllib3.Retry):
    """Sends a request again where the server asks for that (429 or 503 with Retry-After), never after an error."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        """What is left after a try. Raises the error of a connection as it is."""
        if error:
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


@functools.lru_cache(maxsize=1)
def cluster_client(kubeconfig: str) -> Any:
    """A client that keeps no file, and sends a request again only where the server asks for it. Raises ConfigException
    for a kubeconfig of no use.

    The library wants certificate and key as files for as long as it lives, and ssl wants files to load: here they are
    there, closed to others, while one ssl context is made from them.
    """
    configuration = kubernetes.client.Configuration()
    # What the caller sees after the last try is the answer itself.
    configuration.retries = _WhenAsked(_TRIES, redirect=False, raise_on_status=False, retry_after_max=5)
    given = yaml.safe_load(kubeconfig)
    with tempfile.TemporaryDirectory() as folder:
        filed = _in_files(given, Path(folder))
        kubernetes.config.load_kube_config_from_dict(filed, temp_file_path=folder, client_configuration=configuration)
        _choose_proxy(configuration, given)
        client = kubernetes.client.ApiClient(configuration)
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


def _in_files(kubeconfig: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A kubeconfig whose certificates and keys are files of a folder.

    The library would make the files, and remember them by their content for as long as it lives: a second client of the
    same cluster, in another thread or later, would be given files of a folder that is gone.
    """
    found = copy.deepcopy(dict(kubeconfig))
    for section, part in (("clusters", "cluster"), ("users", "user")):
        for number, entry in enumerate(found.get(section) or []):
            own = entry.get(part) or {}
            for key in [key for key in own if key.endswith(_DATA)]:
                file = folder / f"{part}-{number}-{key.removesuffix(_DATA)}"
                try:
                    file.write_bytes(base64.b64decode(own.pop(key)))
                except ValueError as error:
                    raise kubernetes.config.ConfigException(f"{key} is not base64: {error}") from None
                own[key.removesuffix(_DATA)] = str(file)
    return found


def _choose_proxy(configuration: Any, kubeconfig: Mapping[str, Any]) -> None:
    """The proxy that kubectl would take: the kubeconfig's `proxy-url`, else the environment's for this host.

    The library would take the environment's for every host: it reads NO_PROXY and forgets it
    (kubernetes-client/python#2460), and it does not know `proxy-url`.
    """
    try:
        named = _named_proxy(kubeconfig)
        proxy = checked(named) if named else proxy_of(configuration.host)
    except ValueError as error:
        raise kubernetes.config.ConfigException(str(error)) from None
    configuration.proxy, configuration.no_proxy = proxy, None
    login = urlsplit(proxy or "")
    if login.username is not None:
        user_and_password = f"{unquote(login.username)}:{unquote(login.password or '')}"
        configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=user_and_password)


def _named_proxy(kubeconfig: Mapping[str, Any]) -> str | None:
    contexts = {each["name"]: each["context"] for each in kubeconfig["contexts"]}
    clusters = {each["name"]: each["cluster"] for each in kubeconfig["clusters"]}
    proxy: str | None = clusters[contexts[kubeconfig["current-context"]]["cluster"]].get("proxy-url")
    return proxy
