#!/bin/bash
# Run a class of Kafka: kafka-run-class.sh CLASS ARGUMENTS... The class path and the class data archive are in java-options.
exec /opt/java/bin/java @/opt/kafka/java-options ${KAFKA_HEAP_OPTS:--Xmx128m} "$@"
