// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace segue::bench {

// Each prints one JSON object to stdout.

// TOPIC:PARTITIONS[:property=value]...; waits until the topics have leaders.
void create_topics(const std::string& brokers, const std::vector<std::string>& topics);

struct LoadOptions {
  std::string brokers;
  std::string file;
  std::string topic = "events";
  std::string codec = "lz4";
};
// Every line as a record; key = user_id, none where the line has none.
void load(const LoadOptions& options);

struct ConsumeOptions {
  std::string brokers;
  std::string topic = "events";
  std::string isolation = "read_committed";
  std::string settings = "wide";
};
// From the first record to the end of now, in batches, doing nothing with the records: the limit of whatever consumes with librdkafka. Settings:
// wide (queues that are never full), default (librdkafka's own), engine (those of lib/kafka's readers).
void consume(const ConsumeOptions& options);

struct DrainedOptions {
  std::string brokers;
  std::string input = "events";
  std::string journal = "segue.journal";
  double timeout = 600;  // seconds
};
// Waits until the journal, read-committed, says of every partition that the input has been worked off up to its present end.
void wait_drained(const DrainedOptions& options);

struct LatencyOptions {
  std::string brokers;
  std::string input = "events";
  std::string output = "transitions";
  double rate = 1000;       // events a second
  double seconds = 60;      // of sending
  double warm = 10;         // of these, not counted
  double settle = 5;        // waits so long for what is missing
  unsigned share = 5;       // per cent of the events cause an output for certain
  unsigned users = 200000;  // of the others
  std::string linger = "0";
  std::string trace;  // a file with a line "sent seen partition" for each output seen, times in seconds since 1970
  std::string run;    // told apart by it; no two runs on one topic share it
};
// Sends events at a steady rate and reads what they cause, read-committed: the time from when an event was due to when its output is seen.
void measure_latency(const LatencyOptions& options);

// The same beside a loop in this process that copies those events to the output, in transactions and nothing else: the limit.
void measure_transactions(const LatencyOptions& options);

// Calls ready() once when it consumes, and returns after stop() says so.
struct TransactLoop {
  std::string brokers;
  std::string input;
  std::string output;
  std::string id;  // of the group and the transactions
  std::function<void()> ready;
  std::function<bool()> stop;
  uint64_t transactions = 0;  // made
};
void run_transact_loop(TransactLoop& loop);
// Whether an event is one of those that cause an output for certain.
bool causes_output(std::string_view event);

}  // namespace segue::bench
