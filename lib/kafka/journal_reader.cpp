// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/journal_reader.h"

#include <algorithm>
#include <array>
#include <string>

#include "lib/kafka/journal_chain.h"
#include "lib/kafka/record_reader.h"
#include "lib/kafka/topic_inspector.h"

namespace segue::kafka {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollSlice{200};  // how soon a cancelled reading ends
constexpr std::chrono::milliseconds kEndsWait{2000};
constexpr std::chrono::milliseconds kFetchWait{5};  // whoever reads a journal to its end wants to go on

bool is_over(const JournalReading& reading) {
  return (reading.cancelled != nullptr && *reading.cancelled) || (reading.ending != nullptr && *reading.ending);
}

Result<Watermarks> find_ends(const ClientOptions& options, const JournalReading& reading, Clock::time_point deadline) {
  const auto inspector = TopicInspector::open(options);
  if (!inspector) return tl::unexpected(inspector.error());
  const std::array<int32_t, 1> partition = {reading.partition};
  for (;;) {
    auto found = (*inspector)->watermarks(Topic::kJournal, partition, std::chrono::milliseconds{1000});
    if (found.front().watermarks || Clock::now() >= deadline || is_over(reading)) return found.front().watermarks;
  }
}

// Error where an open transaction hides the end of the partition's transitions or dead letters.
Result<> nothing_hidden(const ClientOptions& options, const JournalReading& reading) {
  const auto committed = TopicInspector::open(options, Isolation::kCommitted);
  if (!committed) return tl::unexpected(committed.error());
  const auto uncommitted = TopicInspector::open(options);
  if (!uncommitted) return tl::unexpected(uncommitted.error());
  const std::array<int32_t, 1> partition = {reading.partition};
  for (const Topic topic : {Topic::kTransitions, Topic::kDeadLetters}) {
    const auto visible = (*committed)->watermarks(topic, partition, kEndsWait).front().watermarks;
    if (!visible) return tl::unexpected(visible.error());
    const auto written = (*uncommitted)->watermarks(topic, partition, kEndsWait).front().watermarks;
    if (!written) return tl::unexpected(written.error());
    if (visible->high < written->high)
      return fail(ErrorClass::kRetry, options.topics.name(topic) + "/" + std::to_string(reading.partition) + ": a transaction is open from offset " +
                                          std::to_string(visible->high) + " on, and nobody is writing");
  }
  return {};
}

}  // namespace

Result<JournalEnd> read_journal(const ClientOptions& options, const JournalReading& reading,
                                const std::function<Result<>(const codec::JournalRecord&, uint64_t offset)>& visit) {
  auto deadline = Clock::now() + reading.deadline;
  const auto ends = find_ends(options, reading, deadline);
  if (!ends) return tl::unexpected(ends.error());
  JournalEnd end;
  end.low = ends->low;
  end.from_beginning = reading.from <= ends->low || reading.from > ends->high;
  RecordReader::Limits limits;
  limits.fetch_wait = kFetchWait;
  auto reader = RecordReader::open(options, limits);
  if (!reader) return tl::unexpected(std::move(reader).error());
  const TopicPartition source{Topic::kJournal, reading.partition};
  SEGUE_TRY((*reader)->start(source, end.from_beginning ? ends->low : reading.from));
  JournalChain chain(options.application, reading.partition, reading.defences.check_journal_chain);
  std::string trouble;
  for (;;) {
    const ReadBatch& batch = (*reader)->poll(kPollSlice);
    if (!batch.records.empty()) deadline = Clock::now() + reading.deadline;  // a long journal takes its time
    for (const PartitionRecords& part : batch.records) {
      for (const Record& record : part.records) {
        const auto taken = chain.take(record);
        if (!taken) return tl::unexpected(taken.error());
        if (*taken) SEGUE_TRY(visit(**taken, record.offset));
      }
    }
    for (const PartitionTrouble& one : batch.troubles) {
      if (one.kind == ReadTrouble::kOutOfRange) return fail(ErrorClass::kRetry, one.error.message);
      trouble = "; " + one.error.message;
    }
    // An end below the high watermark hides something that a transaction still holds back: on takeover our own last commit, perhaps.
    const uint64_t position = (*reader)->position(source);
    if (!batch.ends.empty() && (position >= ends->high || !reading.defences.wait_for_high_watermark)) {
      if (reading.after_init && reading.defences.look_into_outputs) SEGUE_TRY(nothing_hidden(options, reading));
      return end;
    }
    if (is_over(reading)) return fail(ErrorClass::kStop, "reading the journal was cancelled");
    if (Clock::now() >= deadline)
      return fail(ErrorClass::kRetry, "journal " + options.topics.journal + "/" + std::to_string(reading.partition) + ": at offset " +
                                          std::to_string(position) + " of " + std::to_string(ends->high) + ", and nothing came for " +
                                          std::to_string(reading.deadline.count()) +
                                          " ms: the broker is slow, or another writer's open transaction hides the rest" + trouble);
  }
}

}  // namespace segue::kafka
