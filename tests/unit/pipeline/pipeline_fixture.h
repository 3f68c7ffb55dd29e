// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/pipeline/shard_pipeline.h"

namespace segue::pipeline {

inline constexpr Duration kDay = std::chrono::days{1};
inline constexpr Time kStart = time_from_ms(1'700'000'000'000);

inline std::shared_ptr<const segment::Definitions> reference_definitions() {
  static const auto definitions =
      std::make_shared<const segment::Definitions>(std::move(*segment::Definitions::parse(segment::default_definitions(), "default definitions")));
  return definitions;
}

// A store in memory. A checkpoint takes `delay` looks to be written, as one in the background does.
class MemoryStore final : public Store {
 public:
  Result<> load(std::span<const std::string_view> keys, const Found& found) override {
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto it = values.find(std::string(keys[i]));
      found(i, it == values.end() ? std::nullopt : std::optional<std::string_view>(it->second));
    }
    return {};
  }
  Result<> scan(std::string_view prefix, const Visit& visit) override {
    const auto begin = values.lower_bound(std::string(prefix));
    for (auto it = begin; it != values.end() && it->first.starts_with(prefix); ++it) SEGUE_TRY(visit(it->first, it->second));
    return {};
  }
  void put(std::string_view key, std::string_view value) override { collect(key, std::string(value)); }
  void remove(std::string_view key) override { collect(key, std::nullopt); }
  size_t collected_bytes() const override { return collected_.size(); }
  void seal() override {
    EXPECT_FALSE(sealed_);
    sealed_ = true;
    looks_ = 0;
  }
  Result<bool> written() override {
    EXPECT_TRUE(sealed_);
    if (fail_write) return sealed_ = false, fail(ErrorClass::kRetry, "the store was told to fail");
    return ++looks_ > delay;
  }
  Result<> install() override {
    EXPECT_TRUE(sealed_);
    if (fail_install) return sealed_ = false, fail(ErrorClass::kRetry, "the store was told to fail");
    for (auto& [key, value] : collected_) {
      if (value)
        values[key] = std::move(*value);
      else
        values.erase(key);
    }
    collected_.clear();
    sealed_ = false;
    ++installed;
    return {};
  }
  // The process dies: what was not installed is gone.
  void crash() {
    collected_.clear();
    sealed_ = false;
    fail_install = fail_write = false;
  }

  std::map<std::string, std::string> values;
  size_t installed = 0;
  size_t delay = 0;
  bool fail_install = false;
  bool fail_write = false;

 private:
  void collect(std::string_view key, std::optional<std::string> value) {
    EXPECT_FALSE(sealed_) << "a page for a sealed checkpoint";
    collected_[std::string(key)] = std::move(value);
  }

  std::map<std::string, std::optional<std::string>> collected_;
  size_t looks_ = 0;
  bool sealed_ = false;
};

// Commits in memory; from the commit numbered `fail_from` on they fail. A commit takes `delay` looks to be settled, as one in the background does.
class MemoryCommits final : public CommitPort {
 public:
  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) override {
    EXPECT_LE(hint, sequence + 1) << "a place behind the first record that is asked for";
    for (size_t i = hint == 0 ? 0 : hint - 1; i < records.size(); ++i)
      if (records[i].sequence > sequence) SEGUE_TRY(visit(records[i], i + 1));
    return {};
  }
  Result<> submit(Commit& commit) override {
    EXPECT_FALSE(in_flight_);
    const codec::JournalRecord& record = commit.record;
    EXPECT_EQ(record.sequence, records.empty() ? 1 : records.back().sequence + 1);
    if (record.sequence >= fail_from) return fail(ErrorClass::kRetry, "the commit log was told to fail");
    if (!records.empty()) {
      EXPECT_EQ(record.previous, records.back().next);
      EXPECT_GE(record.next, record.previous);
      EXPECT_GE(record.high, records.back().high);
    }
    in_flight_ = std::move(commit);
    commit.outputs.clear();
    looks_ = 0;
    return delay == 0 ? wait() : Result<>();
  }
  Result<bool> settled() override {
    if (in_flight_ && ++looks_ > delay) SEGUE_TRY(wait());
    return !in_flight_;
  }
  Result<> wait() override {
    if (!in_flight_) return {};
    transitions += in_flight_->outputs.transition_lines;
    dead_letters += in_flight_->outputs.dead_letter_lines;
    EXPECT_EQ(in_flight_->record.transitions.length, transitions.size());
    EXPECT_EQ(in_flight_->record.dead_letters.length, dead_letters.size());
    records.push_back(in_flight_->record);
    in_flight_.reset();
    return {};
  }
  uint64_t journal_hint() const override { return records.size(); }
  // The process dies: the commit in flight is made, or not.
  void crash(bool made) {
    if (made) static_cast<void>(wait());
    in_flight_.reset();
  }

  std::vector<codec::JournalRecord> records;
  std::string transitions;
  std::string dead_letters;
  uint64_t fail_from = UINT64_MAX;
  size_t delay = 0;

 private:
  std::optional<Commit> in_flight_;
  size_t looks_ = 0;
};

// A log of records, each of kRecordBytes, that can be cut into chunks anywhere.
class TestLog {
 public:
  static constexpr uint64_t kRecordBytes = 100;

  explicit TestLog(size_t shards = 1) : shards_(shards) {}

  // `share`: the shard that has the user.
  void add(std::string_view user, event::EventType type, Time ts, size_t share = 0, std::string item = {}) {
    const std::string number = std::to_string(records_.size());
    if (item.empty()) item = "i" + number.substr(0, 1);
    records_.push_back({std::string(user), "e" + number, item, "类" + number.substr(number.size() - 1), type, ts, share, false});
  }
  void repeat(size_t record) { records_.push_back(records_[record]); }
  void add_reject() { records_.push_back({.reject = true}); }
  size_t size() const { return records_.size(); }
  void set_time(size_t record, Time ts) { records_[record].ts = ts; }
  static Position at(size_t record) { return {record * kRecordBytes, record}; }

  // The records [begin, end) as a reader that begins there decodes them.
  DecodedChunk chunk(size_t begin, size_t end) const {
    DecodedChunk chunk;
    chunk.begin = at(begin);
    chunk.end = at(end);
    chunk.shares.resize(shards_);
    for (size_t i = begin; i < end; ++i) {
      const Record& record = records_[i];
      if (record.reject) {
        chunk.rejects.push_back({at(i), event::RejectReason::kInvalidJson, "not json"});
        continue;
      }
      event::Event event;
      event.type = record.type;
      event.ts = record.ts;
      event.event_id = record.event_id;
      event.user_id = record.user;
      if (event.type != event::EventType::kDelete) event.item = {.item_id = record.item, .category = record.category, .price = {900'000'000}};
      chunk.high = std::max(chunk.high, event.ts);
      chunk.shares[record.share].push_back(static_cast<uint32_t>(chunk.records.size()));
      chunk.records.push_back({event, at(i), chunk.high});
    }
    return chunk;
  }

 private:
  struct Record {
    std::string user;
    std::string event_id;
    std::string item;
    std::string category;
    event::EventType type = event::EventType::kView;
    Time ts = kNoTime;
    size_t share = 0;
    bool reject = false;
  };

  size_t shards_;
  std::deque<Record> records_;
};

// What survives a crash of one shard, and the shard's lives.
struct ShardFiles {
  MemoryStore store;
  MemoryCommits commits;
};

inline std::unique_ptr<ShardPipeline> make_pipeline(ShardPipeline::Options options, ShardFiles& files, size_t share = 0) {
  options.partition = "test";
  options.share = share;
  options.tells_rejects = share == 0;
  return std::make_unique<ShardPipeline>(options, Genesis{reference_definitions(), {7}, {}}, files.store);
}

// One life of one shard over the whole log, read from record `from` in chunks that end at `ends` and at the log's end.
inline Result<> live(ShardPipeline& pipeline, ShardFiles& files, const TestLog& log, size_t from, const std::vector<size_t>& ends) {
  SEGUE_TRY(pipeline.recover());
  SEGUE_TRY(pipeline.own(files.commits));
  for (const size_t end : ends) {
    SEGUE_TRY(pipeline.take_all(log.chunk(from, end)));
    from = end;
  }
  SEGUE_TRY(pipeline.take_all(log.chunk(from, log.size())));
  return pipeline.finish();
}

}  // namespace segue::pipeline
