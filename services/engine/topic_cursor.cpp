// SPDX-License-Identifier: Apache-2.0
#include "services/engine/topic_cursor.h"

#include <string>

namespace segue::engine {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{60};

}  // namespace

Result<TopicCursor> TopicCursor::open(const kafka::ClientOptions& client, kafka::TopicPartition source, uint64_t from, uint64_t end) {
  auto reader = kafka::RecordReader::open(client);
  if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
  TopicCursor cursor(std::move(*reader), source, end);
  cursor.ended_ = from >= end;
  if (!cursor.ended_) SEGUE_TRY(cursor.reader_->start(source, from));
  return cursor;
}

Result<std::span<const kafka::Record>> TopicCursor::peek() {
  const auto deadline = steady_clock::now() + kPatience;
  while (taken_ == records_.size() && !ended_) {
    if (steady_clock::now() > deadline)
      return fail(ErrorClass::kRetry,
                  "reading a topic: nothing came for a minute; an open transaction may hide what follows. " + reader_->last_error());
    const kafka::ReadBatch& batch = reader_->poll(std::chrono::milliseconds{200});
    records_ = {};
    taken_ = 0;
    if (!batch.troubles.empty()) return tl::unexpected<Error>(batch.troubles.front().error);
    if (!batch.records.empty()) records_ = batch.records.front().records;
    while (!records_.empty() && records_.back().offset >= end_) records_ = records_.first(records_.size() - 1);
    ended_ = reader_->position(source_) >= end_;
  }
  return records_.subspan(taken_);
}

}  // namespace segue::engine
