"""Images and charts of the data stores: real Kafka, PostgreSQL and Redis, in stand-ins for Bitnami's images and charts.

The servers come from Debian and Maven Central. The charts in `charts/` take the values that the program sets on the
Bitnami charts of the same names and versions and make objects of the same names; nothing else of those is promised.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offline import cache, image_archive, kafka_runtime, slim_root, versions
from offline.debian_root import debian_root

HERE = Path(__file__).parent
SCRIPTS = HERE / "store-images"
# One root for all: each image takes its few files out of it.
PACKAGES = ("openjdk-17-jdk-headless", f"postgresql-{versions.POSTGRESQL}", "redis-server")
POSTGRESQL = f"usr/lib/postgresql/{versions.POSTGRESQL}"
# What the native code inside jars is linked to (compression; unpacked when it is first used).
OF_JARS = ("libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1")


@dataclass(frozen=True, kw_only=True)
class Store:
    """One image: what it keeps of the Debian root (patterns), and the script of store-images/<name> it starts with."""

    name: str
    tag: str
    keep: Sequence[str]
    entrypoint: str
    path: str = "/usr/local/bin:/usr/bin"
    stop_signal: str = "SIGTERM"


STORES = (
    Store(
        name="kafka",
        tag=versions.KAFKA,
        entrypoint="/opt/kafka/bin/start-broker",
        path="/opt/kafka/bin:/opt/java/bin:/usr/bin",
        keep=(
            "opt/java",
            *(f"usr/bin/{tool}" for tool in ("bash", "cp", "head", "mv", "od", "rm")),
            *(f"usr/lib/x86_64-linux-gnu/{library}" for library in OF_JARS),
        ),
    ),
    Store(
        name="postgresql",
        tag=versions.POSTGRESQL,
        entrypoint="/opt/postgresql/start-postgresql",
        path=f"/{POSTGRESQL}/bin:/usr/bin",
        # The fast shutdown: PostgreSQL takes SIGTERM as "when all clients have gone", and theirs are pools that stay.
        stop_signal="SIGINT",
        # sh and locale: initdb and pg_ctl run programs by the one, and ask the other.
        keep=(
            *(f"usr/bin/{tool}" for tool in ("bash", "locale", "mktemp", "mv", "rm", "rmdir", "sh")),
            *(f"{POSTGRESQL}/bin/{tool}" for tool in ("initdb", "pg_ctl", "pg_dump", "pg_isready", "postgres", "psql")),
            # Not llvmjit.so, whose LLVM would be half of the image.
            f"{POSTGRESQL}/lib/[!l]*.so",
            f"{POSTGRESQL}/lib/l[!l]*.so",
            f"usr/share/postgresql/{versions.POSTGRESQL}",
            "usr/share/zoneinfo",
            "usr/lib/locale/C.utf8",
        ),
    ),
    Store(
        name="redis",
        tag=versions.REDIS,
        entrypoint="/opt/redis/start-redis",
        keep=("usr/bin/bash", "usr/bin/redis-server", "usr/bin/redis-cli"),
    ),
)


def archives() -> list[Path]:
    """The `docker load` archives of dev.local/kafka, dev.local/postgresql and dev.local/redis; needs root on Debian."""
    return [_archive(store) for store in STORES]


def charts() -> Path:
    """The cached folder that holds the charts kafka/, postgresql/ and redis/."""
    source = HERE / "charts"

    def copy(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)

    return cache.built("store-charts", {"charts": cache.files_digest(source)}, copy)


def _archive(store: Store) -> Path:
    debian = debian_root("stores", PACKAGES) / "layer.tar"
    recipe = [HERE / module for module in ("stores.py", "slim_root.py", "image_archive.py", "kafka_runtime.py")]
    key = {
        "debian": debian.parent.name,
        "store": repr(store),
        "recipe": cache.files_digest(*recipe, SCRIPTS / store.name),
    }
    return cache.built(f"store-{store.name}", key, lambda folder: _build(folder, store, debian)) / f"{store.name}.tar"


def _build(folder: Path, store: Store, debian_layer: Path) -> None:
    layer = folder / "layer.tar"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        debian, root = Path(scratch, "debian"), Path(scratch, "root")
        debian.mkdir()
        subprocess.run(["tar", "--extract", "--file", str(debian_layer), "--directory", str(debian)], check=True)
        if store.name == "kafka":
            kafka_runtime.link_java(debian)
        slim_root.slim_root(debian, root, store.keep)
        if store.name == "kafka":
            kafka_runtime.install_kafka(root)
        else:
            shutil.copytree(SCRIPTS / store.name, root / "opt" / store.name)
        slim_root.write_root_layer(layer, root)
    image_archive.write_archive(
        folder / f"{store.name}.tar",
        [
            image_archive.Image(
                reference=f"dev.local/{store.name}:{store.tag}",
                layers=[layer],
                entrypoint=[store.entrypoint],
                user=str(slim_root.USER_ID),
                environment={"PATH": store.path},
                stop_signal=store.stop_signal,
            )
        ],
    )
    layer.unlink()
