// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/kafka/client.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/partition_commits.h"
#include "lib/kafka/record_reader.h"
#include "lib/pipeline/commit_port.h"

namespace segue::kafka {

// A record as a plain consumer reads it.
struct ReadRecord {
  std::string key;
  std::string value;
  int64_t offset = 0;
  std::map<std::string, std::string> headers;
};

// Tests on the broker that SEGUE_TEST_BROKERS names (tests/kafka/broker.py run). Each test has topics of its own.
class BrokerTest : public testing::Test {
 protected:
  void SetUp() override;

  // Makes the four topics, and options that name them.
  ClientOptions make_topics(int partitions, const std::map<std::string, std::string>& settings = {});
  void make_topic(const std::string& name, int partitions, const std::map<std::string, std::string>& settings);
  // Deletes what lies before the offset.
  void delete_before(const std::string& topic, int32_t partition, int64_t offset);
  void produce(const std::string& topic, int32_t partition, const std::vector<std::string>& values, const std::string& key = "k");
  std::vector<ReadRecord> read(const std::string& topic, int32_t partition, bool committed = true);
  // Where the group stands; -1 when it has no offset there.
  int64_t group_offset(const ClientOptions& options, int32_t partition);
  static void signal_broker(int number);

  std::string brokers_;
};

// SIGSTOPs the broker, and lets it go on at the end of its scope or before.
class BrokerPause {
 public:
  BrokerPause();
  ~BrokerPause();
  void end();

 private:
  bool over_ = false;
};

// The broker's process, of SEGUE_TEST_BROKER_DIR.
int broker_pid();

// tests/kafka/proxy.py between clients and the broker, as a process that ends with its scope.
class ProxyProcess {
 public:
  ProxyProcess();
  ~ProxyProcess();

  // Where clients find the broker through the proxy.
  std::string brokers() const;
  // One command, as `hold EndTxn seconds=3 cut=1`; its answer.
  std::string command(const std::string& line);
  // How often the proxy did it, as `hold_EndTxn` or `passed_Produce`.
  int count(const std::string& what);

 private:
  int first_port_ = 0;
  int pid_ = -1;
};

// Commits of one shard that follow each other: each moves the input by 10 records and tells one transition of user "u" with n = the sequence.
class CommitSource {
 public:
  explicit CommitSource(std::string text = "line") : text_(std::move(text)) {}

  pipeline::Commit next(size_t transitions = 1);
  const codec::JournalRecord& last() const { return last_; }
  void go_on_after(const codec::JournalRecord& record) { last_ = record; }

 private:
  const std::string text_;
  codec::JournalRecord last_;
  uint64_t n_ = 0;
};
void add_dead_letter(pipeline::Commit& commit, std::string_view raw, std::string_view key, uint64_t offset);

// Opens a port and reads its journal, as an owner does.
std::unique_ptr<PartitionCommits> open_commits(const ClientOptions& client, PartitionCommitsOptions options, CommitSource* source = nullptr);
// Values of the transitions, and sequences of the journal.
std::vector<uint64_t> sequences(const std::vector<ReadRecord>& journal, std::string_view key);

// A transactional producer that writes one record and commits nothing: what a dead writer leaves behind.
class OpenTransaction {
 public:
  OpenTransaction(const ClientOptions& options, const std::string& id, const std::string& topic, int32_t partition, const std::string& key,
                  const std::string& value);
  void abort();
  void commit();

 private:
  Owned<rd_kafka_t> handle_;
};

}  // namespace segue::kafka
