// SPDX-License-Identifier: Apache-2.0
#include "services/engine/audit.h"

#include <algorithm>

#include "lib/codec/event_decoder.h"
#include "lib/kafka/journal_chain.h"
#include "lib/kafka/output_records.h"
#include "lib/kafka/topic_inspector.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/pipeline/store_contents.h"
#include "lib/rocks/rocks_store.h"
#include "services/engine/context.h"
#include "services/engine/input_chunk.h"
#include "services/engine/topic_cursor.h"

namespace segue::engine {
namespace {

using kafka::Topic;
constexpr std::chrono::seconds kQuestion{30};

std::string at(const char* what, uint64_t offset) { return std::string(what) + " at offset " + std::to_string(offset); }

// The next records of an output topic are these, in this order.
class OutputTopic {
 public:
  OutputTopic(TopicCursor cursor, const char* what) : cursor_(std::move(cursor)), what_(what) {}

  Result<> expect(std::string_view key, std::string_view value) {
    const auto records = cursor_.peek();
    if (!records) return tl::unexpected<Error>(records.error());
    if (records->empty()) return fail(ErrorClass::kData, std::string("a ") + what_ + " of the journal is not in its topic");
    const kafka::Record& record = records->front();
    if (record.key != key || record.value != value)
      return fail(ErrorClass::kData, at(what_, record.offset) + " is not what the journal's commit told");
    cursor_.take(1);
    return {};
  }
  Result<> expect_end() {
    const auto records = cursor_.peek();
    if (!records) return tl::unexpected<Error>(records.error());
    if (!records->empty()) return fail(ErrorClass::kData, at(what_, records->front().offset) + " belongs to no commit of the journal");
    return {};
  }

 private:
  TopicCursor cursor_;
  const char* what_;
};

// One partition's audit: the journal is followed commit by commit.
class PartitionAudit {
 public:
  PartitionAudit(const AuditOptions& options, int32_t partition, AuditReport& report)
      : options_(options), partition_(partition), report_(report), decoder_({.future_bound = options.future_bound}) {}

  Result<> run(kafka::TopicInspector& inspector, const std::atomic<bool>& stop, const std::function<void(const AuditReport&)>& progress) {
    SEGUE_TRY(open(inspector));
    for (;;) {
      if (stop) return {};
      const auto records = journal_->peek();
      if (!records) return tl::unexpected<Error>(records.error());
      if (records->empty()) break;
      auto record = chain_->take(records->front());
      journal_->take(1);
      if (!record) return tl::unexpected<Error>(record.error());
      if (*record) SEGUE_TRY(take_commit(**record));
      progress(report_);
    }
    // What the topics have beyond may have been committed after the journal's end was looked up; what they lack may not.
    if (ends_are_final_) {
      SEGUE_TRY(transitions_->expect_end());
      SEGUE_TRY(dead_letters_->expect_end());
    }
    SEGUE_TRY(pipeline_->finish());
    ++report_.partitions;
    return compare_state();
  }

 private:
  Result<> open(kafka::TopicInspector& inspector) {
    // The journal's end first: every output of a commit before it is in the topics by then.
    const auto journal = watermarks(inspector, Topic::kJournal);
    const auto input = watermarks(inspector, Topic::kInput);
    const auto transitions = watermarks(inspector, Topic::kTransitions);
    const auto dead_letters = watermarks(inspector, Topic::kDeadLetters);
    const auto journal_again = watermarks(inspector, Topic::kJournal);
    for (const auto* marks : {&journal, &input, &transitions, &dead_letters, &journal_again})
      if (!*marks) return tl::unexpected<Error>(marks->error());
    ends_are_final_ = journal->high == journal_again->high;
    for (const auto& [marks, what] :
         {std::pair(&*input, "the input"), {&*transitions, "transitions"}, {&*dead_letters, "dead letters"}, {&*journal, "the journal"}})
      if (marks->low > 0)
        return fail(ErrorClass::kUsage, std::string(what) + " has lost its beginning: it begins at offset " + std::to_string(marks->low));
    SEGUE_TRY(open_cursor(journal_, Topic::kJournal, journal->high));
    SEGUE_TRY(open_cursor(input_, Topic::kInput, input->high));
    input_end_ = input->high;
    std::optional<TopicCursor> cursor;
    SEGUE_TRY(open_cursor(cursor, Topic::kTransitions, transitions->high));
    transitions_.emplace(std::move(*cursor), "transition");
    SEGUE_TRY(open_cursor(cursor, Topic::kDeadLetters, dead_letters->high));
    dead_letters_.emplace(std::move(*cursor), "dead letter");
    chain_.emplace(options_.client.application, partition_);
    return open_shard();
  }

  Result<kafka::Watermarks> watermarks(kafka::TopicInspector& inspector, Topic topic) const {
    return inspector.watermarks(topic, {&partition_, 1}, kQuestion).front().watermarks;
  }
  Result<> open_cursor(std::optional<TopicCursor>& cursor, Topic topic, uint64_t end) const {
    auto opened = TopicCursor::open(options_.client, {topic, partition_}, 0, end);
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
    cursor.emplace(std::move(*opened));
    return {};
  }

  Result<> open_shard() {
    rocks::RocksOptions rocks;
    rocks.path = options_.work + "/" + std::to_string(partition_);
    auto store = rocks::RocksStore::open(rocks);
    if (!store) return tl::unexpected<Error>(std::move(store.error()));
    store_ = std::move(*store);
    auto standard = segment::Definitions::parse(segment::default_definitions(), "default definitions");
    if (!standard) return fail(ErrorClass::kStop, segment::to_string(standard.error()));
    pipeline::ShardPipeline::Options pipeline_options;
    pipeline_options.partition = options_.client.topics.input;
    // The journal's first record brings its own definitions and erasure key.
    pipeline_.emplace(pipeline_options, pipeline::Genesis{std::make_shared<const segment::Definitions>(std::move(*standard)), {}, {}}, *store_);
    pipeline_->observe_replay([this](const codec::JournalRecord&, const pipeline::Outputs& outputs) { return compare_outputs(outputs); });
    return pipeline_->recover();
  }

  Result<> take_commit(codec::JournalRecord record) {
    ++report_.commits;
    report_.clock_steps += record.wall_clock ? 1 : 0;
    report_.activations += record.sequence > 1 && !record.definitions_text.empty() ? 1 : 0;
    const uint64_t next = record.next.offset;
    SEGUE_TRY(pipeline_->follow(std::move(record), 0));
    while (pipeline_->replaying()) {
      const auto records = input_->peek();
      if (!records) return tl::unexpected<Error>(records.error());
      size_t count = 0;
      while (count < records->size() && (*records)[count].offset < next) ++count;
      if (next > input_end_)
        return fail(ErrorClass::kData, "the input ends at offset " + std::to_string(input_end_) + ", before a commit of the journal that ended at " +
                                           std::to_string(next));
      if (count == 0) {
        chunk_.fill_empty(pipeline_->position().offset, next);  // control records, or nothing
      } else {
        chunk_.fill(pipeline_->position().offset, records->first(count), decoder_);
      }
      input_->take(count);
      report_.events += count;
      SEGUE_TRY(pipeline_->take_all(chunk_.decoded()));
    }
    return {};
  }

  Result<> compare_outputs(const pipeline::Outputs& outputs) {
    size_t line = 0, user = 0;
    for (const auto& transition : outputs.transitions) {
      const std::string_view value(outputs.transition_lines.data() + line, transition.line_end - line - 1);
      SEGUE_TRY(transitions_->expect({outputs.user_ids.data() + user, transition.user_id_end - user}, value));
      line = transition.line_end;
      user = transition.user_id_end;
      ++report_.transitions;
    }
    size_t raw = 0, key = 0;
    for (const auto& letter : outputs.dead_letters) {
      const std::string_view value(outputs.raw_records.data() + raw, letter.raw_end - raw);
      SEGUE_TRY(
          dead_letters_->expect({outputs.raw_keys.data() + key, letter.key_end - key}, value.substr(0, kafka::OutputRecords::kLongestDeadLetter)));
      raw = letter.raw_end;
      key = letter.key_end;
      ++report_.dead_letters;
    }
    return {};
  }

  Result<> compare_state() {
    if (options_.state.empty()) return {};
    rocks::RocksOptions rocks;
    rocks.path = state_path(options_.state, partition_);
    rocks.read_only = true;
    auto theirs = rocks::RocksStore::open(rocks);
    if (!theirs && theirs.error().kind == ErrorClass::kUsage) return {};  // not this instance's
    if (!theirs) return tl::unexpected<Error>(std::move(theirs.error()));
    const auto meta = pipeline::load_meta(**theirs);
    if (!meta) return tl::unexpected<Error>(meta.error());
    if (!*meta || (*meta)->sequence != pipeline_->last_commit().sequence) return {};  // not at the journal's end
    for (const auto& [prefix, what] : {std::pair(codec::kPagePrefix, "page"), {codec::kErasedPrefix, "erased user"}}) {
      const auto same = pipeline::compare_entries(**theirs, *store_, prefix, what);
      if (!same) return tl::unexpected<Error>(same.error());
      report_.pages += *same;
    }
    if ((*meta)->has_audiences)
      if (const auto same = pipeline::compare_entries(**theirs, *store_, codec::kAudiencePrefix, "entry of the audience index"); !same)
        return tl::unexpected<Error>(same.error());
    ++report_.states;
    return {};
  }

  const AuditOptions& options_;
  const int32_t partition_;
  AuditReport& report_;
  codec::EventDecoder decoder_;
  std::optional<TopicCursor> journal_;
  std::optional<TopicCursor> input_;
  uint64_t input_end_ = 0;
  std::optional<OutputTopic> transitions_;
  std::optional<OutputTopic> dead_letters_;
  std::optional<kafka::JournalChain> chain_;
  bool ends_are_final_ = false;
  std::unique_ptr<rocks::RocksStore> store_;
  std::optional<pipeline::ShardPipeline> pipeline_;
  InputChunk chunk_;
};

}  // namespace

Result<AuditReport> audit(const AuditOptions& options, const std::atomic<bool>& stop, const std::function<void(const AuditReport&)>& progress) {
  auto inspector = kafka::TopicInspector::open(options.client);
  if (!inspector) return tl::unexpected<Error>(std::move(inspector.error()));
  const auto counts = (*inspector)->partitions(kQuestion);
  if (!counts) return tl::unexpected<Error>(counts.error());
  std::vector<int32_t> partitions = options.partitions;
  // The input may have more, which nobody reads (docs/engine.md).
  const int32_t read = std::min((*counts)[Topic::kInput], (*counts)[Topic::kJournal]);
  for (int32_t p = 0; options.partitions.empty() && p < read; ++p) partitions.push_back(p);
  AuditReport report;
  for (const int32_t partition : partitions) {
    if (auto same = PartitionAudit(options, partition, report).run(**inspector, stop, progress); !same)
      return fail(same.error().kind, "partition " + std::to_string(partition) + ": " + same.error().message);
    if (stop) break;
  }
  report.stopped = stop;
  return report;
}

}  // namespace segue::engine
