// SPDX-License-Identifier: Apache-2.0
#include "services/engine/end_watcher.h"

#include "lib/pipeline/clock_rule.h"
#include "lib/telemetry/log.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;

constexpr std::chrono::milliseconds kTurn{100};
constexpr std::chrono::seconds kLag{5};
constexpr std::chrono::seconds kCount{30};
constexpr std::chrono::milliseconds kTimeout{10'000};

}  // namespace

EndWatcher::EndWatcher(const Context& context, PartitionTable& table, std::vector<Worker*> workers, std::unique_ptr<kafka::TopicInspector> inspector)
    : context_(context), table_(table), workers_(std::move(workers)), inspector_(std::move(inspector)) {
  count_due_ = Clock::now() + kCount;
  thread_ = std::thread([this] { run(); });
}

EndWatcher::~EndWatcher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_changed_.notify_all();
  thread_.join();
}

void EndWatcher::run() {
  std::unique_lock lock(mutex_);
  while (!ending_changed_.wait_for(lock, kTurn, [this] { return ending_; })) {
    lock.unlock();
    turn(Clock::now());
    lock.lock();
  }
}

void EndWatcher::turn(Clock::time_point now) {
  if (now >= count_due_) count_partitions();
  const Time wall = wall_clock();
  judge_clock(wall);
  std::vector<int32_t> due;
  struct Asker {
    int holder = PartitionTable::kNobody;
    std::shared_ptr<PartitionView> view;
    Question question = Question::kNone;
  };
  std::map<int32_t, Asker> askers;
  for (auto& [holder, view] : table_.held()) {
    const PartitionStatus status = view->status();
    const Question question = question_for(status, now, wall);
    if (question == Question::kNone) continue;
    due.push_back(status.partition);
    askers[status.partition] = {holder, view, question};
  }
  if (due.empty()) return;
  for (const auto& answer : inspector_->watermarks(kafka::Topic::kInput, due, kTimeout)) {
    if (!answer.watermarks) continue;
    const uint64_t high = answer.watermarks->high;
    const Asker& asker = askers[answer.partition];
    asker.view->update([&](PartitionStatus& status) { status.high_watermark = high; });
    if (asker.question == Question::kClock && asker.holder >= 0)
      workers_[static_cast<size_t>(asker.holder)]->tell_watermark(answer.partition, wall, high);
  }
}

void EndWatcher::judge_clock(Time wall) {
  const bool followed = context_.clock_guard.judge(wall, uptime(), context_.config.clock.jump_bound);
  if (followed == clock_followed_) return;
  clock_followed_ = followed;
  if (followed) {
    log::info("the host's clock is followed again");
  } else {
    log::error("the host's clock has jumped ahead: timers wait until it is back, a broker's clock agrees, or SIGHUP confirms it",
               {{"seconds", context_.clock_guard.ahead().count() / 1000}});
  }
}

EndWatcher::Question EndWatcher::question_for(const PartitionStatus& status, Clock::time_point now, Time wall) {
  Asked& asked = asked_[status.partition];
  const pipeline::ClockRule rule{.heartbeat = context_.config.clock.step};
  const bool for_clock = clock_followed_ && context_.config.clock.follow_wall_clock && status.state == PartitionState::kRunning && status.at_end &&
                         now - asked.for_clock >= rule.least_step &&
                         pipeline::wants_step(rule, wall, status.high, status.next_timer, status.lateness);
  if (for_clock) asked.for_clock = now;
  if (!for_clock && now - asked.for_lag < kLag) return Question::kNone;
  asked.for_lag = now;
  return for_clock ? Question::kClock : Question::kLag;
}

void EndWatcher::count_partitions() {
  count_due_ = Clock::now() + kCount;
  const auto counts = inspector_->partitions(kTimeout);
  if (!counts) return;
  const auto now = static_cast<size_t>((*counts)[kafka::Topic::kInput]);
  const uint64_t unread = now > context_.partitions ? now - context_.partitions : 0;
  if (context_.counters.unread_partitions.exchange(unread) != unread && unread > 0)
    log::error("the input has got more partitions than at the start; they are not read",
               {{"topic", context_.config.kafka.input}, {"before", context_.partitions}, {"now", now}});
}

}  // namespace segue::engine
