// SPDX-License-Identifier: Apache-2.0
#include "services/engine/worker.h"

#include <algorithm>
#include <utility>

#include "lib/telemetry/log.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;

// From so many records in a poll on a partition is in a backlog.
constexpr size_t kBacklog = 1024;
constexpr kafka::RecordReader::Limits kPollLimits{.records_per_partition = 4096, .records = 16384};
// Nothing to do: how long until the next look at intervals and mail.
constexpr std::chrono::milliseconds kIdle{50};
// A checkpoint that is being written does not wake the worker.
constexpr std::chrono::milliseconds kWaiting{5};
constexpr std::chrono::milliseconds kPublish{50};
// Of each partition, in one turn.
constexpr std::chrono::milliseconds kReads{2};
// Of all partitions, between two batches of one, which take about 3 ms; a partition's part of it.
constexpr std::chrono::milliseconds kReadsBetween{2};
constexpr std::chrono::milliseconds kReadsOfABatch{1};
// A member that slept past its session must learn of its loss before it fences the new owner.
constexpr std::chrono::seconds kReopen{2};
constexpr std::chrono::seconds kLongestReopen{60};
// A lost race is followed by a word of the group. Without one somebody else writes under our name, and each of us only disturbs the other.
constexpr int kMostFences = 3;
constexpr std::chrono::seconds kReopenBesideRival{600};

}  // namespace

Worker::Worker(Surroundings surroundings, int index)
    : around_(std::move(surroundings)), index_(index), decoder_({.future_bound = around_.context.config.clock.future_bound}) {}

Worker::~Worker() { join(); }

Result<> Worker::start() {
  kafka::ClientOptions clients = around_.context.clients;
  if (around_.context.config.kafka.workers > 1) clients.instance += "-" + std::to_string(index_);
  auto consumer = kafka::GroupConsumer::open(clients, kPollLimits);
  if (!consumer) return tl::unexpected<Error>(std::move(consumer.error()));
  consumer_ = std::move(*consumer);
  last_turn_ = Clock::now().time_since_epoch().count();
  thread_ = std::thread([this] { run(); });
  return {};
}

void Worker::stop(Clock::time_point deadline) {
  stop_deadline_ = deadline.time_since_epoch().count();
  stopping_ = true;
  if (consumer_) consumer_->wake();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::tell_watermark(int32_t partition, Time asked_at, uint64_t high_watermark) {
  watermarks_.put({partition, asked_at, high_watermark});
  consumer_->wake();
}

void Worker::run() {
  while (!stopping_) turn();
  close_all();
  while (!slots_.empty()) {
    take_mail();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// The order of the stages.
void Worker::turn() {
  last_turn_ = Clock::now().time_since_epoch().count();
  take_mail();
  const kafka::GroupBatch& batch = consumer_->poll(next_timeout());
  if (batch.fatal) {
    stopping_ = true;
    return around_.fail(*batch.fatal);
  }
  follow_group(batch);
  take_records(*batch.read);
  take_troubles(*batch.read);
  const auto now = Clock::now();
  waits_ = gave_way_ = reads_wait_ = false;
  for (auto& [number, slot] : slots_) {
    serve_reads(slot);
    if (slot.parked) continue;
    if (slot.place == Place::kHere) advance(number, slot, now);
    if (slot.place == Place::kWaiting && now >= slot.reopen_at) open(number, std::move(slot.partition));
  }
}

// Whoever may not be the owner any more answers nobody.
void Worker::serve_reads(Slot& slot) {
  if (!slot.partition) return;
  if (slot.place != Place::kHere || slot.parked) return slot.partition->end_reads();
  slot.partition->run_reads(kReads);
  reads_wait_ = reads_wait_ || slot.partition->has_reads();
}

// Whichever partition is at work: readers of none wait for it. In turn.
void Worker::serve_between_batches() {
  const auto end = Clock::now() + kReadsBetween;
  auto at = slots_.upper_bound(last_read_);
  for (size_t left = slots_.size(); left > 0; --left, ++at) {
    if (at == slots_.end()) at = slots_.begin();
    Slot& slot = at->second;
    if (slot.place != Place::kHere || slot.parked || !slot.partition->has_reads()) continue;
    slot.partition->run_reads(kReadsOfABatch);
    last_read_ = at->first;
    if (Clock::now() >= end) return;
  }
}

std::chrono::milliseconds Worker::next_timeout() const {
  if ((backlog_ && !waits_) || reads_wait_ || gave_way_) return std::chrono::milliseconds(0);
  return waits_ ? kWaiting : kIdle;
}

// ---- mail

void Worker::take_mail() {
  for (Opened& opened : opened_.take_all()) take_opened(std::move(opened));
  for (const Closed& closed : closed_.take_all()) {
    Slot& slot = slots_[closed.partition];
    // Assigned again meanwhile: a new opener takes its turn.
    if (slot.assigned && !stopping_) {
      open(closed.partition, nullptr);
    } else {
      slots_.erase(closed.partition);
    }
  }
  for (const Watermark& watermark : watermarks_.take_all()) {
    const auto found = slots_.find(watermark.partition);
    if (found != slots_.end() && found->second.place == Place::kHere) found->second.partition->note_watermark(watermark.asked_at, watermark.offset);
  }
}

void Worker::take_opened(Opened opened) {
  const int32_t number = opened.partition->number();
  Slot& slot = slots_[number];
  slot.partition = std::move(opened.partition);
  if (!slot.assigned || stopping_) return close(number, slot);
  if (!opened.result) return handle_error(number, slot, std::move(opened.result.error()));
  if (auto started = consumer_->start(number, slot.partition->next_offset()); !started) return handle_error(number, slot, std::move(started.error()));
  slot.partition->between_batches([this] { serve_between_batches(); });
  slot.place = Place::kHere;
  slot.paused = false;
  slot.commits_at_opening = slot.partition->settled_commits();
  log::info("partition opened", {{"partition", number}, {"position", slot.partition->next_offset()}, {"commit", slot.commits_at_opening}});
}

// ---- the group

// What is revoked goes on until it is known who has it: if another, that one fences us, and our commit counts or not, wholly.
void Worker::follow_group(const kafka::GroupBatch& batch) {
  if (!batch.revoked.empty() || batch.assigned) ++rebalances_;
  if (batch.lost) park(batch.revoked);
  if (!batch.assigned) return;
  joined_ = true;
  log::info("assignment", {{"worker", index_}, {"partitions", batch.assigned->size()}});
  for (auto& [number, slot] : slots_) {
    slot.assigned = slot.parked = false;
    slot.fences = 0;
  }
  for (const int32_t number : *batch.assigned) {
    if (number >= static_cast<int32_t>(around_.context.partitions)) continue;  // came after the start: docs/engine.md
    const bool known = slots_.contains(number);
    slots_[number].assigned = true;
    around_.table.want(number, index_);
    if (!known) open(number, nullptr);
  }
  for (auto& [number, slot] : slots_) {
    if (slot.assigned) continue;
    around_.table.unwant(number, index_);  // an opener that still waits for it gives up, and fences nobody
    if (slot.place != Place::kAway) close(number, slot);
  }
}

// The session has timed out: another may be there already, or a broker was away from all of us. Nothing more is begun, and nothing thrown away.
void Worker::park(const std::vector<int32_t>& lost) {
  log::warn("lost the partitions: the session has timed out", {{"worker", index_}, {"partitions", lost.size()}});
  joined_ = false;
  for (const int32_t number : lost) {
    const auto found = slots_.find(number);
    if (found == slots_.end()) continue;
    found->second.parked = true;
    if (found->second.place == Place::kHere) found->second.partition->show(PartitionState::kPaused, "the group's session was lost");
  }
}

void Worker::open(int32_t number, std::shared_ptr<Partition> partition) {
  if (partition) partition->end_reads();
  slots_[number].place = Place::kAway;
  around_.openers.put([this, number, partition = std::move(partition)]() mutable {
    const auto membership = consumer_->membership();
    const auto wake = [this] { consumer_->wake(); };
    Result<> result;
    if (!partition) {
      if (!around_.table.acquire(number, index_)) return closed_.put({number});
      if (around_.take_from_standby) partition = around_.take_from_standby(number);
      if (!partition) partition = std::make_shared<Partition>(around_.context, number, around_.table.view(number));
    }
    result = partition->is_following() ? partition->take_over(membership, wake) : partition->open(membership, wake);
    opened_.put({std::move(partition), std::move(result)});
    consumer_->wake();
  });
}

// Ends what the slot has, here; the rest is done elsewhere.
void Worker::close(int32_t number, Slot& slot) {
  consumer_->stop(number);
  const bool clean = stopping_ && slot.place == Place::kHere;
  const Clock::time_point deadline(Clock::duration(stop_deadline_.load()));
  slot.place = Place::kAway;
  slot.partition->end_reads();
  around_.closers.put([this, number, clean, deadline, partition = std::move(slot.partition)]() mutable {
    if (clean) partition->finish(deadline);
    partition->close();
    partition.reset();
    around_.table.release(number);
    closed_.put({number});
    consumer_->wake();
  });
}

void Worker::close_all() {
  for (auto& [number, slot] : slots_)
    if (slot.place != Place::kAway) close(number, slot);
}

// ---- records

void Worker::take_records(const kafka::ReadBatch& read) {
  size_t taken = 0;
  for (auto& [number, slot] : slots_) slot.backlog = slot.backlog && slot.paused;
  for (const kafka::PartitionRecords& source : read.records) {
    const auto found = slots_.find(source.source.partition);
    if (found == slots_.end() || found->second.place != Place::kHere) continue;
    Slot& slot = found->second;
    auto chunk = around_.context.chunks.take();
    chunk->fill(slot.partition->next_offset(), source.records, decoder_);
    slot.partition->push(std::move(chunk));
    taken += source.records.size();
    slot.backlog = source.records.size() >= kBacklog;
    if (const kafka::Record& last = source.records.back(); last.log_append_time) around_.context.clock_guard.note_broker(last.timestamp);
    if (slot.partition->queue_is_full()) {
      consumer_->pause(source.source.partition);
      slot.paused = true;
    }
  }
  backlog_ = taken >= kPollLimits.records_per_partition;
  for (const kafka::PartitionEnd& end : read.ends) {
    const auto found = slots_.find(end.source.partition);
    if (found != slots_.end() && found->second.place == Place::kHere) found->second.partition->note_end(end.offset);
  }
}

void Worker::take_troubles(const kafka::ReadBatch& read) {
  for (const kafka::PartitionTrouble& trouble : read.troubles) {
    const int32_t number = trouble.source.partition;
    const auto found = slots_.find(number);
    if (found == slots_.end() || found->second.place != Place::kHere) continue;
    if (trouble.kind == kafka::ReadTrouble::kOutOfRange) {
      // Retention has passed the position: a newer snapshot may reach further, and the opening says so where none does.
      handle_error(number, found->second, {ErrorClass::kStop, trouble.error.message});
    } else {
      quiet_.warn("reading is refused", {{"partition", number}, {"reason", trouble.error.message}});
    }
  }
}

// ---- the way of a partition

void Worker::advance(int32_t number, Slot& slot, Clock::time_point now) {
  Partition& partition = *slot.partition;
  if (now < slot.reopen_at) return;  // a disk is full, for example
  if (auto advanced = partition.advance(now, slot.backlog); !advanced) return handle_error(number, slot, std::move(advanced.error()));
  if (slot.failures > 0 && partition.settled_commits() > slot.commits_at_opening) slot.failures = 0;
  partition.show_normal();
  if (std::exchange(slot.troubled, false)) log::info("partition goes on", {{"partition", number}});
  if (slot.paused && partition.queue_is_empty()) {
    consumer_->resume(number);
    slot.paused = false;
  }
  waits_ = waits_ || partition.waits();
  gave_way_ = gave_way_ || partition.gave_way();
  if (now - slot.published < kPublish) return;
  slot.published = now;
  partition.publish(now);
}

void Worker::handle_error(int32_t number, Slot& slot, Error error) {
  const bool opened = slot.place == Place::kHere;
  if (opened && error.kind == ErrorClass::kRetry) {
    slot.partition->show(PartitionState::kPaused, error.message);
    slot.reopen_at = Clock::now() + std::chrono::seconds(1);
    // Once: the same trouble comes with other file names each time.
    if (!std::exchange(slot.troubled, true)) log::warn("partition paused", {{"partition", number}, {"reason", error.message}});
    return;
  }
  consumer_->stop(number);
  if (opened && error.kind == ErrorClass::kData) {
    slot.partition->note_damage();
    return open(number, std::move(slot.partition));
  }
  if (opened && slot.partition->was_fenced() && ++slot.fences >= kMostFences)
    return wait_to_open(slot, PartitionState::kStopped,
                        "another process takes this partition again and again, though the group gives it to us: "
                        "two groups or clusters of instances with one application name? " +
                            error.message);
  if (opened || error.kind == ErrorClass::kRetry) return wait_to_open(slot, PartitionState::kPaused, error.message);
  if (error.kind == ErrorClass::kStop) return wait_to_open(slot, PartitionState::kStopped, error.message);
  slot.place = Place::kStopped;
  slot.partition->show(PartitionState::kStopped, error.message);
  log::error("partition stopped", {{"partition", number}, {"reason", error.message}});
}

// Another owner has fenced us, or a broker refuses: what is here is of no use any more.
void Worker::wait_to_open(Slot& slot, PartitionState state, const std::string& reason) {
  const bool rival = slot.fences >= kMostFences;
  const auto wait = rival ? kReopenBesideRival : std::min<std::chrono::seconds>(kLongestReopen, kReopen * (1 << std::min(slot.failures, 5)));
  ++slot.failures;
  slot.place = Place::kWaiting;
  slot.reopen_at = Clock::now() + wait;
  slot.partition->show(state, reason);
  log::warn("partition is opened again after a while", {{"partition", slot.partition->number()}, {"reason", reason}, {"seconds", wait.count()}});
}

}  // namespace segue::engine
