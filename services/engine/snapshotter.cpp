// SPDX-License-Identifier: Apache-2.0
#include "services/engine/snapshotter.h"

#include <algorithm>

#include "lib/codec/state_keys.h"
#include "lib/telemetry/log.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;

constexpr std::chrono::seconds kSnapshotAgain{60};

Result<rocks::SnapshotInfo> describe(std::string_view bytes) {
  auto meta = codec::decode_shard_meta(bytes);
  if (!meta) return tl::unexpected<Error>(std::move(meta.error()));
  return rocks::SnapshotInfo{meta->position, meta->sequence, meta->definitions, meta->program};
}

}  // namespace

std::shared_ptr<rocks::Snapshots> open_snapshots(const config::Config& config, int32_t partition) {
  rocks::SnapshotOptions options;
  options.volume = config.snapshots.directory;
  options.shard = config.application + "/" + std::to_string(partition);
  options.keep = config.snapshots.keep;
  options.describe = describe;
  return std::make_shared<rocks::Snapshots>(std::move(options));
}

Result<std::optional<rocks::Snapshot>> find_newest(rocks::Snapshots& snapshots, const std::set<std::string>& damaged) {
  auto all = snapshots.list();
  if (!all) return tl::unexpected<Error>(std::move(all.error()));
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& snapshot) { return snapshot.is_usable() && !damaged.contains(snapshot.id); });
  if (found == all->end()) return std::nullopt;
  return std::move(*found);
}

Snapshotter::Snapshotter(const Context& context) : context_(context), thread_([this] { run(); }) {}

Snapshotter::~Snapshotter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& [partition, entry] : entries_) entry.snapshots->cancel();
  }
  changed_.notify_all();
  thread_.join();
}

void Snapshotter::enroll(int32_t partition, const rocks::RocksStore& store, std::shared_ptr<PartitionView> view) {
  {
    const std::lock_guard lock(mutex_);
    entries_[partition] = {&store, std::move(view), open_snapshots(context_.config, partition), Clock::now(), false};
  }
  changed_.notify_all();
}

void Snapshotter::withdraw(int32_t partition) {
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(partition);
  if (found == entries_.end()) return;
  found->second.snapshots->cancel();
  entries_.erase(found);  // first, so that it is not begun with again
  changed_.wait(lock, [&] { return working_on_ != partition; });
}

void Snapshotter::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto next = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    if (next == entries_.end()) {
      changed_.wait(lock);
      continue;
    }
    if (const Clock::time_point due = next->second.due; Clock::now() < due) {
      changed_.wait_until(lock, due);  // by then the entry may have gone
      continue;
    }
    const int32_t partition = next->first;
    const Entry entry = next->second;
    working_on_ = partition;
    lock.unlock();
    const Clock::duration wait = entry.seen ? make(partition, entry) : until_first(entry);
    lock.lock();
    working_on_.reset();
    changed_.notify_all();
    if (const auto still = entries_.find(partition); still != entries_.end()) {
      still->second.due = Clock::now() + wait;
      still->second.seen = true;
    }
  }
}

// An instance that restarts more often than the interval makes snapshots all the same.
Snapshotter::Clock::duration Snapshotter::until_first(const Entry& entry) {
  const Duration interval = context_.config.snapshots.interval;
  const auto newest = find_newest(*entry.snapshots, {});
  if (!newest || !*newest) return std::min<Clock::duration>(interval, kSnapshotAgain);
  const Duration age = wall_clock() - (*newest)->record.made_at;
  return std::clamp<Duration>(interval - age, Duration(0), interval);
}

Snapshotter::Clock::duration Snapshotter::make(int32_t partition, const Entry& entry) {
  const auto begin = Clock::now();
  const Time now = wall_clock();
  const auto made = entry.snapshots->create(*entry.store, now);
  if (!made) {
    const std::lock_guard lock(mutex_);
    if (ending_ || !entries_.contains(partition)) return {};
    context_.counters.snapshots_failed.fetch_add(1);
    log::error("no snapshot could be made", {{"partition", partition}, {"reason", made.error().message}});
    return std::min<Clock::duration>(context_.config.snapshots.interval, kSnapshotAgain);
  }
  context_.counters.snapshots_made.fetch_add(1);
  const auto time = Clock::now() - begin;
  entry.view->update([&](PartitionStatus& status) { status.snapshot_at = now, status.snapshot_time = time; });
  if (!made->warning.empty()) log::warn("old snapshots stay", {{"partition", partition}, {"reason", made->warning}});
  log::info("snapshot made", {{"partition", partition},
                              {"id", made->snapshot.id},
                              {"position", made->snapshot.record.info.position.offset},
                              {"new", made->is_new},
                              {"seconds", std::chrono::duration<double>(time).count()}});
  return context_.config.snapshots.interval;
}

}  // namespace segue::engine
