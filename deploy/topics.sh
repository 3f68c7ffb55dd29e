#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes Segue's topics on the brokers of $BROKERS with $PARTITIONS partitions each (docs/formats/topics.md). Those that are there stay as they are.
set -euo pipefail
create() {
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$BROKERS" --create --if-not-exists --topic "$1" --partitions "$2" "${@:3}"
}
create events "$PARTITIONS" --config message.timestamp.type=LogAppendTime --config retention.ms=1209600000
create transitions "$PARTITIONS" --config retention.ms=1209600000
create events.dlq "$PARTITIONS" --config retention.ms=2592000000
# Outlives the log: it says how to replay it.
create segue.journal "$PARTITIONS" --config retention.ms=2592000000
# By which instances find each other; whoever lives writes every few seconds.
create segue.instances 1 --config cleanup.policy=compact --config segment.ms=3600000
