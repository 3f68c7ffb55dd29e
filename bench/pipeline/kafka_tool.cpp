// SPDX-License-Identifier: Apache-2.0
// What the benchmarks on a Kafka broker are made of: kafka_tool --help. Each command prints one JSON object.
#include <CLI/CLI.hpp>
#include <chrono>

#include "bench/pipeline/kafka_commands.h"

namespace segue::bench {
namespace {

void add_latency_options(CLI::App& command, LatencyOptions& options) {
  command.add_option("--input", options.input);
  command.add_option("--output", options.output);
  command.add_option("--rate", options.rate, "events a second");
  command.add_option("--seconds", options.seconds);
  command.add_option("--warm", options.warm, "seconds at the beginning that are not counted");
  command.add_option("--settle", options.settle, "seconds to wait for what is missing");
  command.add_option("--share", options.share, "per cent of the events that cause an output");
  command.add_option("--users", options.users, "users that the other events belong to");
  command.add_option("--linger", options.linger, "the sender's linger.ms");
  command.add_option("--trace", options.trace, "file for a line `sent seen partition` an output");
}

int run(int argc, char** argv) {
  CLI::App app("Benchmarks on a Kafka broker");
  app.require_subcommand(1);
  std::string brokers;
  app.add_option("--brokers", brokers)->required();
  std::vector<std::string> topics;
  LoadOptions loading;
  ConsumeOptions consuming;
  DrainedOptions draining;
  LatencyOptions timing;

  CLI::App* creation = app.add_subcommand("create", "make topics: TOPIC:PARTITIONS[:property=value]...");
  creation->add_option("topics", topics)->required();
  CLI::App* loader = app.add_subcommand("load", "write every line of a file as a record, keyed by user_id");
  loader->add_option("file", loading.file)->required();
  loader->add_option("topic", loading.topic);
  loader->add_option("--codec", loading.codec, "compression");
  CLI::App* consumer = app.add_subcommand("consume", "read a topic in batches and do nothing: the limit of a drain");
  consumer->add_option("topic", consuming.topic);
  consumer->add_option("--isolation", consuming.isolation)->check(CLI::IsMember({"read_committed", "read_uncommitted"}));
  consumer->add_option("--settings", consuming.settings)->check(CLI::IsMember({"wide", "default", "engine"}));
  CLI::App* drained = app.add_subcommand("drained", "wait until the journal says that the input has been worked off");
  drained->add_option("--input", draining.input);
  drained->add_option("--journal", draining.journal);
  drained->add_option("--timeout", draining.timeout, "seconds");
  CLI::App* latency = app.add_subcommand("latency", "send at a steady rate, and time the outputs of another program");
  add_latency_options(*latency, timing);
  CLI::App* transactions = app.add_subcommand("transact", "the same of an empty consume-transact loop: the limit of the latency");
  add_latency_options(*transactions, timing);
  CLI11_PARSE(app, argc, argv);

  loading.brokers = consuming.brokers = draining.brokers = timing.brokers = brokers;
  timing.run = "run" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  if (*creation) create_topics(brokers, topics);
  if (*loader) load(loading);
  if (*consumer) consume(consuming);
  if (*drained) wait_drained(draining);
  if (*latency) measure_latency(timing);
  if (*transactions) measure_transactions(timing);
  return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) { return segue::bench::run(argc, argv); }
