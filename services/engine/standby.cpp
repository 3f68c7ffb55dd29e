// SPDX-License-Identifier: Apache-2.0
#include "services/engine/standby.h"

#include <algorithm>

#include "lib/telemetry/log.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;
using kafka::Topic;

constexpr kafka::RecordReader::Limits kFollowLimits{.records_per_partition = 2048, .records = 8192};
constexpr std::chrono::milliseconds kFollowIdle{50};
constexpr std::chrono::milliseconds kFollowWaiting{5};
constexpr std::chrono::milliseconds kFollowPublish{200};
constexpr std::chrono::milliseconds kFollowLook{200};
constexpr std::chrono::seconds kFollowAgain{10};
constexpr std::chrono::seconds kFollowAgainLater{60};  // nothing that passes by itself

}  // namespace

Standby::Standby(const Context& context, PartitionTable& table, std::vector<Worker*> workers)
    : context_(context),
      table_(table),
      workers_(std::move(workers)),
      decoder_({.future_bound = context.config.clock.future_bound}),
      opener_(std::make_unique<Background>(1)) {}

Standby::~Standby() {
  ending_ = true;
  if (reader_) reader_->wake();
  if (thread_.joinable()) thread_.join();
  opener_.reset();
}

Result<> Standby::start() {
  auto reader = kafka::RecordReader::open(context_.clients, kFollowLimits);
  if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
  reader_ = std::move(*reader);
  thread_ = std::thread([this] { run(); });
  return {};
}

std::shared_ptr<Partition> Standby::take(int32_t partition) {
  const std::lock_guard lock(mutex_);
  const auto found = handed_.find(partition);
  if (found == handed_.end()) return nullptr;
  auto handed = std::move(found->second);
  handed_.erase(found);
  return handed;
}

void Standby::run() {
  while (!ending_) turn();
  opener_->drain();
  for (auto& [number, followed] : followed_) {
    followed.partition.reset();
    table_.release(number);
  }
}

// The order of the stages.
void Standby::turn() {
  const auto now = Clock::now();
  for (Opened& opened : opened_.take_all()) take_opened(std::move(opened));
  if (now >= look_due_) {
    look_due_ = now + kFollowLook;
    take_up_free();
  }
  hand_over_wanted();
  take_records(reader_->poll(gave_way_ ? std::chrono::milliseconds(0) : waits_ ? kFollowWaiting : kFollowIdle));
  waits_ = gave_way_ = false;
  for (auto& [number, followed] : followed_)
    if (followed.partition && !followed.troubled) advance(number, followed, now);
}

// Once every worker knows what the group gives it: what is followed before would only have to be handed over.
void Standby::take_up_free() {
  const auto now = Clock::now();
  // The same object: it knows that its state is damaged, and puts it aside.
  for (auto& [number, followed] : followed_)
    if (followed.troubled && now >= followed.retry_at) open(number, std::exchange(followed, {}).partition);
  if (!std::all_of(workers_.begin(), workers_.end(), [](const Worker* worker) { return worker->joined(); })) return;
  for (int32_t number = 0; number < static_cast<int32_t>(context_.partitions); ++number)
    // Of one that was handed over, and that no worker came for after all, the state is still open.
    if (table_.try_acquire(number, PartitionTable::kStandby)) open(number, take(number));
}

void Standby::open(int32_t number, std::shared_ptr<Partition> partition) {
  followed_[number] = {};
  table_.view(number)->update([](PartitionStatus& status) { status.state = PartitionState::kFollowing, status.reason = "being opened"; });
  if (!partition) partition = std::make_shared<Partition>(context_, number, table_.view(number));
  opener_->put([this, number, partition = std::move(partition)]() mutable {
    Opened opened{std::move(partition), {}, 0};
    opened.result = opened.partition->open_to_follow();
    if (const auto journal = context_.inspector->watermarks(Topic::kJournal, number); journal) {
      opened.journal_begin = journal->low;
    } else if (opened.result) {
      opened.result = tl::unexpected<Error>(journal.error());
    }
    opened_.put(std::move(opened));
    reader_->wake();
  });
}

void Standby::take_opened(Opened opened) {
  const int32_t number = opened.partition->number();
  Followed& followed = followed_[number];
  followed.partition = std::move(opened.partition);
  if (!opened.result) return trouble(number, followed, opened.result.error());
  followed.chain = std::make_unique<kafka::JournalChain>(context_.config.application, number);
  const uint64_t place = std::max(followed.partition->known_place(), opened.journal_begin);
  if (auto started = reader_->start({Topic::kJournal, number}, place); !started) return trouble(number, followed, started.error());
  log::info("following", {{"partition", number}, {"position", followed.partition->next_offset()}, {"commit", followed.partition->known_commit()}});
}

void Standby::let_go(int32_t number) {
  reader_->stop({Topic::kJournal, number});
  reader_->stop({Topic::kInput, number});
  followed_.erase(number);
  table_.release(number);
}

// A worker is to own it: what is here goes with it.
void Standby::hand_over_wanted() {
  for (const int32_t number : table_.wanted_of_standby()) {
    const auto found = followed_.find(number);
    if (found == followed_.end() || !found->second.partition) continue;  // as soon as it is open
    {
      // After trouble it is closed, and opened anew by the worker; what it knows of damage goes along.
      const std::lock_guard lock(mutex_);
      if (found->second.troubled) found->second.partition->forgive_damages();
      handed_[number] = found->second.partition;
    }
    let_go(number);
  }
}

void Standby::trouble(int32_t number, Followed& followed, const Error& error) {
  reader_->stop({Topic::kJournal, number});
  reader_->stop({Topic::kInput, number});
  log::warn("cannot follow", {{"partition", number}, {"reason", error.message}});
  // Closed here and now: whoever opens it next, in this process or after it, finds the state free.
  if (error.kind == ErrorClass::kData) followed.partition->note_damage();
  followed.partition->close();
  followed.partition->show(PartitionState::kFollowing, error.message);
  followed.troubled = true;
  followed.retry_at = Clock::now() + (error.kind == ErrorClass::kStop ? kFollowAgainLater : kFollowAgain);
}

void Standby::take_records(const kafka::ReadBatch& batch) {
  for (const kafka::PartitionRecords& source : batch.records) {
    const auto found = followed_.find(source.source.partition);
    if (found == followed_.end() || !found->second.partition || found->second.troubled) continue;
    Followed& followed = found->second;
    if (source.source.topic == Topic::kJournal) {
      if (auto taken = take_journal(followed, source); !taken) trouble(found->first, followed, taken.error());
      continue;
    }
    auto chunk = context_.chunks.take();
    chunk->fill(followed.partition->next_offset(), source.records, decoder_);
    followed.partition->push(std::move(chunk));
    if (!followed.partition->queue_is_full()) continue;
    reader_->pause(source.source);
    followed.paused = true;
  }
  for (const kafka::PartitionEnd& end : batch.ends) {
    const auto found = followed_.find(end.source.partition);
    if (end.source.topic != Topic::kInput || found == followed_.end() || !found->second.partition || found->second.troubled) continue;
    found->second.partition->note_end(end.offset);
  }
  for (const kafka::PartitionTrouble& one : batch.troubles) {
    const auto found = followed_.find(one.source.partition);
    if (found == followed_.end() || !found->second.partition || found->second.troubled) continue;
    if (one.kind == kafka::ReadTrouble::kOutOfRange) trouble(found->first, found->second, one.error);
  }
}

Result<> Standby::take_journal(Followed& followed, const kafka::PartitionRecords& source) {
  for (const kafka::Record& record : source.records) {
    auto taken = followed.chain->take(record);
    if (!taken) return tl::unexpected<Error>(std::move(taken.error()));
    if (!*taken || (*taken)->sequence <= followed.partition->known_commit()) continue;
    SEGUE_TRY(followed.partition->follow(std::move(**taken), record.offset));
  }
  if (followed.partition->pending_commits() > Partition::kMostPendingCommits) {
    reader_->pause(source.source);
    followed.journal_paused = true;
  }
  if (followed.reads_input || !followed.partition->knows_its_beginning()) return {};
  followed.reads_input = true;
  return reader_->start({Topic::kInput, source.source.partition}, followed.partition->next_offset());
}

void Standby::advance(int32_t number, Followed& followed, Clock::time_point now) {
  Partition& partition = *followed.partition;
  if (auto advanced = partition.advance_followed(now); !advanced) return trouble(number, followed, advanced.error());
  if (followed.paused && partition.queue_is_empty()) {
    reader_->resume({Topic::kInput, number});
    followed.paused = false;
  }
  if (followed.journal_paused && partition.pending_commits() < Partition::kMostPendingCommits / 2) {
    reader_->resume({Topic::kJournal, number});
    followed.journal_paused = false;
  }
  waits_ = waits_ || partition.waits_for_checkpoint();
  gave_way_ = gave_way_ || partition.gave_way();
  if (now - followed.published < kFollowPublish) return;
  followed.published = now;
  partition.publish(now);
}

}  // namespace segue::engine
