// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/committer.h"

#include <algorithm>
#include <random>
#include <utility>

#include "lib/kafka/errors.h"
#include "lib/kafka/journal_chain.h"

namespace segue::kafka {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{10};
constexpr std::chrono::milliseconds kLongestWait{1'000};       // for a broker that does not answer: librdkafka's own waits come on top
constexpr std::chrono::milliseconds kLongestRefusal{5'000};    // for one that refuses: every attempt writes the outputs again
constexpr std::chrono::seconds kWithoutOffsets{30};            // after the group refused them
constexpr std::chrono::seconds kIdle{1};                       // callbacks are served this often while there is nothing to do
constexpr std::chrono::seconds kInit{10};                      // then with a new handle
constexpr std::chrono::milliseconds kLongestAttempt{600'000};  // below the 15 min that brokers allow by default
constexpr std::chrono::seconds kJudge{10};                     // then again, and the state says why

// The first record of a shard carries its definitions as text; comparing needs the hash only. Its erasure key is random: two owners' first commits
// may be the same but for that, and only one of the keys is in the journal.
bool same_commit(const codec::JournalRecord& a, const codec::JournalRecord& b) {
  return a.sequence == b.sequence && a.previous == b.previous && a.next == b.next && a.high == b.high && a.transitions == b.transitions &&
         a.dead_letters == b.dead_letters && a.definitions == b.definitions && a.wall_clock == b.wall_clock && a.sweep == b.sweep &&
         a.timers == b.timers && a.erasure_key == b.erasure_key;
}

std::string random_suffix() {
  std::random_device device;
  return std::to_string(device()) + std::to_string(device());
}

}  // namespace

JournalVerdict judge_journal(const std::optional<codec::JournalRecord>& last, const std::optional<codec::JournalRecord>& settled,
                             const codec::JournalRecord* pending) {
  if (pending != nullptr && last && same_commit(*last, *pending)) return JournalVerdict::kCommitted;
  if (!last && !settled) return JournalVerdict::kSendAgain;
  if (last && settled && same_commit(*last, *settled)) return JournalVerdict::kSendAgain;
  return JournalVerdict::kForeign;
}

PartitionCommits::Impl::Impl(const ClientOptions& client, PartitionCommitsOptions options)
    : client_(client),
      options_(std::move(options)),
      id_(shard_name(client.application, options_.partition) + (options_.defences.stable_transactional_id ? "" : "-" + random_suffix())),
      attempt_(options_.attempt),
      most_attempt_(std::max(options_.attempt, kLongestAttempt)) {}

PartitionCommits::Impl::~Impl() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

TransactionProducer::Options PartitionCommits::Impl::producer_options() {
  const auto on_waiting = [this](const Error& error) { note_waiting(error); };
  return {options_.partition, id_, options_.slow_commit, attempt_, on_waiting, options_.defences};
}

JournalReading PartitionCommits::Impl::reading_from(uint64_t offset) const {
  return {.partition = options_.partition, .from = offset, .deadline = options_.deadline, .cancelled = &cancelled_, .defences = options_.defences};
}

Result<> PartitionCommits::Impl::open() {
  auto producer = TransactionProducer::make(client_, producer_options());
  if (!producer) return tl::unexpected(std::move(producer).error());
  // Nobody can cancel what is not made yet; a process that ends can.
  SEGUE_TRY((*producer)->init(Clock::now() + options_.deadline, options_.ending != nullptr ? *options_.ending : cancelled_));
  producer_ = std::move(*producer);
  set_state(CommitState::kIdle);
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<> PartitionCommits::Impl::for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) {
  std::optional<uint64_t> first;
  uint64_t hint_after = hint;
  std::optional<codec::JournalRecord> last;
  const auto take = [&](const codec::JournalRecord& record, uint64_t offset) -> Result<> {
    if (options_.ending != nullptr && *options_.ending) return fail(ErrorClass::kStop, "reading the journal was given up: the process ends");
    if (last && record.sequence <= last->sequence) return {};  // read before something hid the rest
    if (!first) {
      first = record.sequence;
      if (*first > sequence + 1)
        return fail(ErrorClass::kStop, "the journal of " + id_ + " begins at sequence " + std::to_string(*first) + ", what follows sequence " +
                                           std::to_string(sequence) + " is gone");
    }
    last = record;
    hint_after = offset;
    return record.sequence > sequence ? visit(record, offset) : Result<>{};
  };
  const auto read_from = [&](uint64_t offset, std::chrono::milliseconds deadline) {
    JournalReading reading = reading_from(offset);
    reading.deadline = deadline;
    reading.ending = options_.ending;
    reading.after_init = true;
    return read_journal(client_, reading, take);
  };
  auto end = read_from(hint, std::min<std::chrono::milliseconds>(options_.deadline, kJudge));
  if (!end && end.error().kind == ErrorClass::kRetry && producer_ && !cancelled_) {
    producer_->end_hanging(cancelled_);
    end = read_from(hint_after, options_.deadline);
  }
  // A hint behind the last record finds nothing; whether there is something before it the beginning tells.
  if (end && !first && !end->from_beginning) end = read_from(0, options_.deadline);
  if (!end) return tl::unexpected(std::move(end).error());
  if (sequence > 0 && (!last || last->sequence < sequence))
    return fail(ErrorClass::kStop, "the journal of " + id_ + " ends at sequence " + std::to_string(last ? last->sequence : 0) +
                                       ", before the state's " + std::to_string(sequence) + ": were records lost or the topic made again?");
  last_ = std::move(last);
  last_known_ = true;
  journal_hint_.store(last_ ? hint_after : end->low, std::memory_order_relaxed);
  return {};
}

Result<> PartitionCommits::Impl::submit(pipeline::Commit& commit) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return tl::unexpected(*error_);
  }
  if (cancelled_) return fail(ErrorClass::kStop, "commits of " + id_ + " were cancelled");
  if (!idle_.load(std::memory_order_acquire)) return fail(ErrorClass::kUsage, "a commit is in flight");
  if (options_.defences.check_journal_chain) {
    if (!last_known_) return fail(ErrorClass::kUsage, "the journal has to be read before the first commit");
    const uint64_t follows = last_ ? last_->sequence : 0;
    if (commit.record.sequence != follows + 1)
      return fail(ErrorClass::kUsage, "commit " + std::to_string(commit.record.sequence) + " does not follow " + std::to_string(follows));
  }
  std::swap(commit, commit_);
  commit.outputs.clear();
  commit.record = {};
  const std::lock_guard lock(mutex_);
  submitted_ = Clock::now();
  status_.state = CommitState::kCommitting;
  idle_.store(false, std::memory_order_release);
  changed_.notify_all();
  return {};
}

Result<bool> PartitionCommits::Impl::settled() {
  if (idle_.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected(*error_);
  return idle_.load(std::memory_order_acquire);
}

Result<> PartitionCommits::Impl::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_ || error_; });
  if (error_ && !idle_) return tl::unexpected(*error_);
  return {};
}

void PartitionCommits::Impl::cancel() {
  cancelled_ = true;
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

CommitStatus PartitionCommits::Impl::status() const {
  const std::lock_guard lock(mutex_);
  CommitStatus status = status_;
  if (!idle_) status.in_flight = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - submitted_);
  return status;
}

void PartitionCommits::Impl::run() {
  bool has_committed = false;  // before that the owner reads the journal, and may use the producer to end what hides it
  while (!cancelled_) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kIdle, [this] { return !idle_ || cancelled_; });
    }
    if (cancelled_) break;
    if (!idle_) make_commit(), has_committed = true;
    // At once and not with the next commit, which would wait for it.
    if (idle_ && recycle_first_ && recycle(nullptr) == JournalVerdict::kSendAgain && idle_) set_state(CommitState::kIdle);
    if (producer_ && has_committed) producer_->poll();
    const std::lock_guard lock(mutex_);
    if (error_) return;
  }
  if (!idle_) stop({ErrorClass::kStop, "commits of " + id_ + " were cancelled"});
}

// Until the commit is there, or never will be.
void PartitionCommits::Impl::make_commit() {
  backoff_ = kFirstBackoff;
  while (!cancelled_) {
    while (is_doubtful())
      if (recycle(&commit_.record) != JournalVerdict::kSendAgain) return;
    if (cancelled_) return;
    set_state(CommitState::kCommitting);
    const auto offsets_of = identity();
    const auto began = Clock::now();
    const AttemptResult result = producer_->attempt(commit_, offsets_of.get(), cancelled_);
    give_more_time(result, Clock::now() - began);
    if (take_result(result, offsets_of != nullptr)) return;
  }
}

bool PartitionCommits::Impl::is_doubtful() const {
  return !producer_ || recycle_first_ || (producer_->doubtful() && options_.defences.recycle_doubtful_producer);
}

// A commit that a slow broker or a quota does not let through within the time would be sent again for ever: it gets twice as long, and the next ones
// what this one needed.
void PartitionCommits::Impl::give_more_time(const AttemptResult& result, Clock::duration took) {
  if (result.out_of_time) {
    attempt_ = std::min(attempt_ * 2, most_attempt_);
  } else if (result.attempt == Attempt::kCommitted) {
    const auto needed = 2 * std::chrono::duration_cast<std::chrono::milliseconds>(took);
    attempt_ = std::clamp(needed, options_.attempt, std::max(options_.attempt, attempt_));
  }
}

// True when there is nothing more to do for this commit.
bool PartitionCommits::Impl::take_result(const AttemptResult& result, bool with_offsets) {
  const bool other_time = result.out_of_time && result.attempt == Attempt::kAborted;  // a producer has its time for life
  recycle_first_ = (result.recycle || other_time) && options_.defences.recycle_doubtful_producer;
  count([&](CommitStatus& status) { status.refused = result.refused; });
  if (result.attempt == Attempt::kCommitted) {
    count([&](CommitStatus& status) { status.without_offsets += options_.membership != nullptr && !with_offsets ? 1 : 0; });
    settle(result.journal_offset, false);
    return true;
  }
  if (result.error.kind == ErrorClass::kUsage) return stop(result.error), true;
  if (result.attempt == Attempt::kAborted) {
    count([](CommitStatus& status) { ++status.aborted; });
    if (!result.offsets_refused) return pause(result.error, kLongestRefusal), false;
    // The group has moved on, and its next rebalance gives a new identity. Lag tools can wait, the outputs not.
    refused_version_ = options_.membership->version();
    refused_until_ = Clock::now() + kWithoutOffsets;
    return false;
  }
  producer_ = nullptr;
  if (result.attempt == Attempt::kFenced && !still_ours()) return true;
  pause(result.error, result.refused ? kLongestRefusal : kLongestWait);
  return false;
}

// Looks before it fences: a process that slept through its session must not disturb the new owner.
bool PartitionCommits::Impl::still_ours() {
  if (options_.defences.read_journal_after_init && judge(&commit_.record, nullptr) == JournalVerdict::kForeign) return false;
  if (error_ || !options_.membership || options_.membership->owns(options_.partition)) return !cancelled_;
  stop_fenced(another_owner() + "the group gave it away");
  return false;
}

// A new producer with the same id ends whatever the old one left behind: what arrives late is refused by its epoch. Then the journal says how the
// commit in doubt ended. kForeign: stopped or cancelled.
JournalVerdict PartitionCommits::Impl::recycle(const codec::JournalRecord* pending) {
  producer_ = nullptr;
  std::unique_ptr<TransactionProducer> made;
  while (!made && !cancelled_) {
    set_state(CommitState::kRecycling);
    auto producer = TransactionProducer::make(client_, producer_options());
    Result<> ready;
    if (producer) ready = (*producer)->init(Clock::now() + kInit, cancelled_);
    const Error* error = !producer ? &producer.error() : !ready ? &ready.error() : nullptr;
    if (error == nullptr) {
      made = std::move(*producer);
    } else if (error->kind == ErrorClass::kUsage && attempt_ > options_.attempt) {
      most_attempt_ = attempt_ = std::max(attempt_ / 2, options_.attempt);  // the broker's transaction.max.timeout.ms is below it
    } else if (error->kind == ErrorClass::kUsage) {
      return stop(*error), JournalVerdict::kForeign;
    } else {
      const bool refused = producer && (*producer)->refused();
      count([refused](CommitStatus& status) { status.refused = refused; });
      pause(*error, refused ? kLongestRefusal : kLongestWait);
    }
  }
  if (cancelled_) return JournalVerdict::kForeign;
  count([](CommitStatus& status) { ++status.recycled; });
  const JournalVerdict verdict = options_.defences.read_journal_after_init ? judge(pending, made.get()) : JournalVerdict::kSendAgain;
  if (verdict == JournalVerdict::kForeign) return verdict;
  producer_ = std::move(made);
  recycle_first_ = false;
  if (verdict == JournalVerdict::kCommitted) settle(found_offset_, true);
  return verdict;
}

// Reads the journal until it can be read. `fresh`: the producer that has just fenced all others; null: nobody was fenced. kForeign: stopped or
// cancelled.
JournalVerdict PartitionCommits::Impl::judge(const codec::JournalRecord* pending, TransactionProducer* fresh) {
  while (!cancelled_) {
    std::optional<codec::JournalRecord> last;
    const uint64_t from = journal_hint();
    JournalReading reading = reading_from(from);
    reading.deadline = std::min<std::chrono::milliseconds>(reading.deadline, kJudge);
    reading.after_init = fresh != nullptr;
    const auto end = read_journal(client_, reading, [&](const codec::JournalRecord& record, uint64_t offset) -> Result<> {
      last = record;
      found_offset_ = offset;
      return {};
    });
    if (!end && end.error().kind != ErrorClass::kRetry) {
      if (!cancelled_) stop({ErrorClass::kStop, end.error().message});
      return JournalVerdict::kForeign;
    }
    if (!end) {
      pause(end.error(), kLongestWait);
      if (fresh != nullptr) fresh->end_hanging(cancelled_);
      continue;
    }
    if (!last && end->low > from) last = last_;  // retention took our last record, and nobody wrote after it
    const JournalVerdict verdict = judge_journal(last, last_, pending);
    if (verdict == JournalVerdict::kForeign)
      stop_fenced(another_owner() + "its journal ends at sequence " + std::to_string(last ? last->sequence : 0) + ", ours at " +
                  std::to_string(last_ ? last_->sequence : 0));
    return verdict;
  }
  return JournalVerdict::kForeign;
}

std::string PartitionCommits::Impl::another_owner() const { return "another instance owns partition " + std::to_string(options_.partition) + ": "; }

std::shared_ptr<const GroupMembership::Identity> PartitionCommits::Impl::identity() {
  const auto& membership = options_.membership;
  if (!membership || !membership->owns(options_.partition)) return nullptr;
  if (membership->version() == refused_version_ && Clock::now() < refused_until_) return nullptr;
  return membership->identity();
}

void PartitionCommits::Impl::settle(std::optional<uint64_t> journal_offset, bool found_in_journal) {
  last_ = commit_.record;
  last_->definitions_text.clear();
  if (journal_offset) journal_hint_.store(*journal_offset, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    ++status_.commits;
    status_.found_in_journal += found_in_journal ? 1 : 0;
    status_.count_duration(std::chrono::duration<double>(Clock::now() - submitted_).count());
    status_.state = CommitState::kIdle;
    status_.error.clear();
    status_.refused = false;
    idle_.store(true, std::memory_order_release);
    changed_.notify_all();
  }
  if (options_.on_settled) options_.on_settled();
}

void PartitionCommits::Impl::stop(Error error) {
  {
    const std::lock_guard lock(mutex_);
    status_.state = CommitState::kStopped;
    status_.error = error.message;
    error_ = std::move(error);
    changed_.notify_all();
  }
  if (options_.on_settled) options_.on_settled();
}

void PartitionCommits::Impl::stop_fenced(std::string reason) {
  count([](CommitStatus& status) { status.fenced = true; });
  stop({ErrorClass::kStop, std::move(reason)});
}

void PartitionCommits::Impl::note_waiting(const Error& error) {
  const std::lock_guard lock(mutex_);
  status_.state = CommitState::kRetrying;
  status_.error = error.message;
}

// Waits, longer each time; cancel() ends it.
void PartitionCommits::Impl::pause(const Error& error, std::chrono::milliseconds longest) {
  note_waiting(error);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::min(backoff_, longest), [this] { return cancelled_.load(); });
  backoff_ = std::min(backoff_ * 2, kLongestRefusal);
}

void PartitionCommits::Impl::set_state(CommitState state) {
  count([state](CommitStatus& status) {
    status.state = state;
    if (state == CommitState::kIdle) status.error.clear();
  });
}

}  // namespace segue::kafka
