"""The sha256 of what the default versions were published with, by the name that `components.sources.cache` uses.

Manifests: the files of the GitHub releases. Charts: the archives that Bitnami published; a registry's layer and an
index's entry have the same digest. Mirrors serve the same files. Versions that are not here are trusted when they are
first used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SHA256: Final[Mapping[str, str]] = {
    "serving-1.10.2-serving-crds.yaml": "b2a864e59eff40eededc50500154db38861c66510b1d4d48358992df05e5b138",
    "serving-1.10.2-serving-core.yaml": "c851717690d2bb749b67079ebc1a9a4b0154e293d154addb3009539dadc497c5",
    "net-kourier-1.10.0-kourier.yaml": "bf0273642043019d863ad5000428ff9244d3415723af6d70e1fd6afd4fe2d7f2",
    "serving-1.23.0-serving-crds.yaml": "b172ff4901ed50f8e4e09ff8616e54d22e264df7086ce8cb74f513a04812fe74",
    "serving-1.23.0-serving-core.yaml": "be3f16c9c0ac9276cc173ef04871aaeac78537f9edb116310caa02f016e9cbc2",
    "net-kourier-1.23.0-kourier.yaml": "cded0c3c1d7669b1aa9f7484234b454ff3940a2b54a27d5ec4825c2d4003d01d",
    "kafka-22.1.5.tgz": "3d9ad515a4ebaadc05fbf7ebba496f234f0b0267b592e6e731d801b5a378358f",
    "postgresql-12.5.7.tgz": "8c27218252b4cdc24657db4db105d76b6122dbf5ff10655cd4c3fd5a499cdf74",
    "redis-17.11.3.tgz": "23c50664df2dcb5a3afbdc3ec12d19567c71b710a05318cfce449ad7c6e163af",
}
