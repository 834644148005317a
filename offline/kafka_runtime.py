"""The broker's own folder in the Kafka image: jars, a small Java runtime, a formatted log folder, a class data archive.

The broker's time to ready is Java starting: the archive takes a third off it, the formatted folder spares a process.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from offline import cache
from offline.engine_host import install
from offline.slim_root import inside

SCRIPTS = Path(__file__).with_name("store-images") / "kafka"
COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
DEBIAN_JAVA = "/usr/lib/jvm/java-17-openjdk-amd64"
# Found by running the broker and its tools; security.* are named by classes that load without being used.
MODULES = (
    "java.base",
    "java.logging",
    "java.management",
    "java.naming",
    "java.security.jgss",
    "java.security.sasl",
    "java.sql",
    "java.xml",
    "jdk.management",
    "jdk.unsupported",
)
# A small heap on few cores: the serial collector and the first compiler alone start fastest and take least.
OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.BrokerServer=info",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
CLUSTER_ID = "a25hdGl2ZS1yZWxlYXNlcw"
READY_SECONDS = 120


class KafkaRuntimeError(RuntimeError):
    """The broker did not start in its new root, in words for people."""


def jars() -> Path:
    """The cached folder with Kafka's jars, as Maven resolves pom.xml; installs Maven where it is missing."""
    pom = SCRIPTS / "pom.xml"

    def copy(folder: Path) -> None:
        install({"mvn": "maven"})
        subprocess.run(
            [
                "mvn",
                "--batch-mode",
                "--quiet",
                "--strict-checksums",
                "--file",
                str(pom),
                COPY_JARS,
                "-DincludeScope=runtime",
                f"-DoutputDirectory={folder}",
            ],
            check=True,
        )

    return cache.built("kafka-jars", {"pom": cache.files_digest(pom), "plugin": COPY_JARS}, copy)


def link_java(debian: Path) -> None:
    """Make /opt/java in the root `debian`: its Java runtime cut down to MODULES."""
    subprocess.run(
        inside(
            debian,
            f"{DEBIAN_JAVA}/bin/jlink",
            "--output",
            "/opt/java",
            "--vm=server",
            "--add-modules",
            ",".join(MODULES),
            "--strip-java-debug-attributes",
            "--no-header-files",
            "--no-man-pages",
        ),
        check=True,
    )


def install_kafka(target: Path) -> None:
    """Fill `target`/opt/kafka from SCRIPTS and the jars, then run it there once to make the class data archive."""
    kafka = target / "opt/kafka"
    shutil.copytree(SCRIPTS, kafka, ignore=shutil.ignore_patterns("pom.xml"))
    shutil.copytree(jars(), kafka / "libs")
    class_path = ":".join(f"/opt/kafka/libs/{jar.name}" for jar in sorted((kafka / "libs").iterdir()))
    options = kafka / "java-options"
    for file in (kafka / "libs").iterdir():
        os.utime(file, (0, 0))  # the archive remembers the jars' times, and the image's layer has this one
    (target / "bitnami/kafka").mkdir(parents=True)
    _write_options(options, class_path)
    _run(
        target,
        "kafka-run-class.sh",
        "kafka.tools.StorageTool",
        "format",
        "--config=/opt/kafka/server.properties",
        f"--cluster-id={CLUSTER_ID}",
    )
    shutil.copytree(target / "bitnami/kafka/data", kafka / "formatted")
    class_lists = (target / "tmp/broker", target / "tmp/topics")
    _record_classes(target, options, class_path, class_lists)
    classes = target / "tmp/classes"
    # Each line is a class by itself: their order and number do not matter.
    classes.write_text("\n".join(dict.fromkeys(line for part in class_lists for line in part.read_text().splitlines())))
    subprocess.run(
        inside(
            target,
            "/opt/java/bin/java",
            "-Xshare:dump",
            "-XX:SharedClassListFile=/tmp/classes",
            "-XX:SharedArchiveFile=/opt/kafka/classes.jsa",
            *OPTIONS,
            "-cp",
            class_path,
        ),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _write_options(options, class_path, "-XX:SharedArchiveFile=/opt/kafka/classes.jsa")
    _empty(target / "bitnami/kafka")
    _empty(target / "tmp")


def _record_classes(target: Path, options: Path, class_path: str, lists: tuple[Path, Path]) -> None:
    """Run a broker and the topic tool in `target`, writing the classes that they load to the two lists."""
    port, controller = _free_port(), _free_port()
    environment = {**os.environ, "BROKER_PORT": str(port)}
    overrides = {
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "controller.quorum.voters": f"0@127.0.0.1:{controller}",
    }
    _write_options(options, class_path, f"-XX:DumpLoadedClassList=/tmp/{lists[0].name}")
    command = inside(
        target,
        "/opt/kafka/bin/start-broker",
        *(word for key, value in overrides.items() for word in ("--override", f"{key}={value}")),
    )
    with open(target / "tmp/log", "wb") as log:
        broker = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_ready(target, broker, environment)
        _write_options(options, class_path, f"-XX:DumpLoadedClassList=/tmp/{lists[1].name}")
        _run(target, "kafka-topics.sh", f"--bootstrap-server=127.0.0.1:{port}", "--create", "--topic=any")
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait()


def _await_ready(target: Path, broker: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    probe = inside(target, "/opt/kafka/bin/broker-is-ready")
    while subprocess.run(probe, check=False, env=environment, capture_output=True).returncode:
        if broker.poll() is not None or time.monotonic() > deadline:
            said = "\n".join((target / "tmp/log").read_text(errors="replace").splitlines()[-10:])
            raise KafkaRuntimeError(
                f"The Kafka broker was not ready in its new root within {READY_SECONDS} s "
                f"(exit code {broker.poll()}). The end of what it said:\n{said}"
            )
        time.sleep(0.5)


def _run(target: Path, script: str, *arguments: str) -> None:
    subprocess.run(inside(target, f"/opt/kafka/bin/{script}", *arguments), check=True, stdout=subprocess.DEVNULL)


def _write_options(file: Path, class_path: str, *more: str) -> None:
    """Write Java's argument file; the class path in full, since the archive is valid for one order of jars only."""
    file.write_text("\n".join([*OPTIONS, *more, "-cp", class_path]) + "\n")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
