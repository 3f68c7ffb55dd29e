// SPDX-License-Identifier: Apache-2.0
#include "services/replay/replay.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

#include "lib/filelog/commit_log.h"
#include "lib/filelog/log_identity.h"
#include "lib/rocks/rocks_store.h"
#include "services/replay/bounded_files.h"
#include "services/replay/log_run.h"
#include "services/replay/state_directory.h"

namespace segue::replay {
namespace {

// One shard with what it stands on. In the order of construction: the pipeline goes first.
struct ShardParts {
  std::unique_ptr<rocks::RocksStore> store;
  std::unique_ptr<filelog::CommitLog> commits;
  std::unique_ptr<pipeline::ShardPipeline> pipeline;
};

struct LogList {
  std::vector<std::string> paths;
  bool partitioned = false;
};

// Files as given, or the files of one directory in the order of their names.
Result<LogList> list_logs(filelog::FileSystem& files, const std::vector<std::string>& given) {
  LogList list;
  if (given.empty()) return fail(ErrorClass::kUsage, "no log given");
  for (const std::string& path : given) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error).lexically_normal().string();
    if (!std::filesystem::is_directory(absolute, error)) {
      list.paths.push_back(absolute);
      continue;
    }
    if (given.size() > 1)
      return fail(ErrorClass::kUsage, path + ": give either files, read one after the other, or one directory of partition files");
    auto names = files.list(absolute);
    if (!names) return tl::unexpected<Error>(names.error());
    for (const std::string& name : *names)
      if (!name.starts_with('.') && std::filesystem::is_regular_file(absolute + "/" + name, error)) list.paths.push_back(absolute + "/" + name);
    if (list.paths.empty()) return fail(ErrorClass::kUsage, path + ": a directory without files");
    list.partitioned = true;
  }
  return list;
}

}  // namespace

struct Replay::Impl {
  ReplayOptions options;
  BoundedFiles files;
  StateDirectory directory;
  std::unique_ptr<filelog::FileLock> lock;
  std::vector<ShardParts> shards;
  std::vector<std::unique_ptr<LogRun>> runs;
  ReplayStatus status;
  std::atomic<bool> stop{false};
  mutable std::mutex mutex;
  std::optional<Error> error;  // guarded by mutex: the first one

  Result<> open();
  Result<> open_shard(size_t shard, std::shared_ptr<rocksdb::Cache> block_cache);
  void run_threads();
  void run_log(LogRun& run, size_t shards_of_log);
  void note(const Result<>& result);
  ReplaySummary summary() const;
};

Replay::Replay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Replay::~Replay() = default;

Result<std::unique_ptr<Replay>> Replay::open(ReplayOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  if (auto opened = impl->open(); !opened) return tl::unexpected<Error>(std::move(opened.error()));
  return std::unique_ptr<Replay>(new Replay(std::move(impl)));
}

Result<> Replay::Impl::open() {
  files.set_ends(options.log_ends);
  auto logs = list_logs(files, options.logs);
  if (!logs) return tl::unexpected<Error>(std::move(logs.error()));
  if (options.shards == 0 || options.shards > kKeyGroups) return fail(ErrorClass::kUsage, "--shards: from 1 to " + std::to_string(kKeyGroups));
  for (const std::string& path : logs->paths) {
    auto opened = files.open_to_read(path);
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  }
  auto locked = filelog::lock_directory(files, options.out);
  if (!locked) return tl::unexpected<Error>(std::move(locked.error()));
  lock = std::move(*locked);

  StateDirectory wanted;
  wanted.path = options.out;
  wanted.logs = logs->paths;
  wanted.partitioned = logs->partitioned;
  wanted.shards = logs->partitioned ? logs->paths.size() : options.shards;
  wanted.definitions = options.definitions;
  auto made = StateDirectory::create_or_read(files, wanted);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  directory = std::move(*made);
  const auto kind = directory.partitioned ? filelog::LogKind::kPartitions : filelog::LogKind::kSequence;
  SEGUE_TRY(filelog::bind_log(files, directory.path, directory.logs, kind));

  const auto block_cache = rocks::make_block_cache(options.block_cache_bytes);
  shards.resize(directory.shards);
  for (size_t i = 0; i < directory.shards; ++i) SEGUE_TRY(open_shard(i, block_cache));

  const LogRun::Options run_options{directory.logs, options.chunk_bytes};
  if (!directory.partitioned) {
    std::vector<LogRun::Shard> all;
    for (const ShardParts& parts : shards) all.push_back({parts.pipeline.get(), parts.commits.get()});
    runs.push_back(std::make_unique<LogRun>(files, run_options, all));
  } else {
    for (size_t i = 0; i < shards.size(); ++i)
      runs.push_back(std::make_unique<LogRun>(files, LogRun::Options{{directory.logs[i]}, options.chunk_bytes},
                                              std::vector<LogRun::Shard>{{shards[i].pipeline.get(), shards[i].commits.get()}}));
  }
  return {};
}

Result<> Replay::Impl::open_shard(size_t shard, std::shared_ptr<rocksdb::Cache> block_cache) {
  ShardParts& parts = shards[shard];
  rocks::RocksOptions rocks_options;
  rocks_options.path = directory.state_path(shard);
  rocks_options.block_cache = std::move(block_cache);
  auto store = rocks::RocksStore::open(rocks_options);
  if (!store) return tl::unexpected<Error>(std::move(store.error()));
  parts.store = std::move(*store);
  auto commits = filelog::CommitLog::open(files, directory.path, directory.shard_name(shard), {.sync = options.sync});
  if (!commits) return tl::unexpected<Error>(std::move(commits.error()));
  parts.commits = std::move(*commits);

  pipeline::ShardPipeline::Options pipeline_options = options.pipeline;
  pipeline_options.partition = filelog::file_name(directory.partitioned ? directory.logs[shard] : directory.logs[0]);
  pipeline_options.share = directory.partitioned ? 0 : shard;
  pipeline_options.tells_rejects = directory.partitioned || shard == 0;
  // The memory that was asked for is the process's: each shard has its part.
  pipeline_options.cache_profiles = std::max<size_t>(1, pipeline_options.cache_profiles / shards.size());
  pipeline_options.dirty_profiles = std::max<size_t>(1, pipeline_options.dirty_profiles / shards.size());
  parts.pipeline =
      std::make_unique<pipeline::ShardPipeline>(pipeline_options, pipeline::Genesis{directory.definitions, directory.erasure_key, {}}, *parts.store);
  return {};
}

const ReplayStatus& Replay::status() const { return impl_->status; }

std::vector<std::shared_ptr<const pipeline::Progress>> Replay::progress() const {
  std::vector<std::shared_ptr<const pipeline::Progress>> shards;
  for (const ShardParts& parts : impl_->shards) shards.push_back(parts.pipeline->progress());
  return shards;
}

void Replay::stop() {
  impl_->status.phase = ReplayStatus::Phase::kFinishing;
  impl_->stop.store(true);
}

Replay::Bytes Replay::bytes() const {
  Bytes bytes;
  for (const auto& run : impl_->runs) {
    const auto progress = run->progress();
    bytes.total += progress.total_bytes;
    bytes.consumed += progress.consumed_bytes;
  }
  return bytes;
}

Result<ReplaySummary> Replay::run() {
  impl_->status.phase = ReplayStatus::Phase::kRecovering;
  impl_->run_threads();
  impl_->status.phase = ReplayStatus::Phase::kDone;
  if (impl_->error) return tl::unexpected<Error>(*impl_->error);
  return impl_->summary();
}

void Replay::Impl::run_threads() {
  if (!directory.partitioned) return run_log(*runs[0], shards.size());
  std::atomic<size_t> next{0};
  std::vector<std::jthread> threads;
  for (size_t t = 0; t < std::min(options.shards, runs.size()); ++t)
    threads.emplace_back([&] {
      for (size_t i = next++; i < runs.size() && !stop; i = next++) run_log(*runs[i], 1);
    });
}

void Replay::Impl::run_log(LogRun& run, size_t shards_of_log) {
  const Result<> prepared = run.prepare();
  note(prepared);
  if (!prepared) return;
  status.phase = ReplayStatus::Phase::kRunning;
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < shards_of_log; ++i) threads.emplace_back([&, i] { note(run.work(i, stop)); });
  note(run.work(0, stop));
}

// One failed shard stops the others at their next chunk. What they had not committed is done again next time.
void Replay::Impl::note(const Result<>& result) {
  if (result) return;
  const std::lock_guard guard(mutex);
  if (!error) error = result.error();
  stop = true;
}

ReplaySummary Replay::Impl::summary() const {
  ReplaySummary sum;
  const segment::Definitions& definitions = *directory.definitions;
  sum.totals.moves.resize(definitions.moves().size());
  sum.totals.entered.resize(definitions.definitions().size());
  sum.totals.left.resize(definitions.definitions().size());
  sum.population.resize(definitions.stages().size());
  sum.rejects.resize(event::kRejectReasons);
  const auto add = [](auto& to, const auto& from) {
    for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  };
  for (const ShardParts& parts : shards) {
    // Stopped before its turn came.
    if (!parts.pipeline->started()) continue;
    const shard::Shard& shard = parts.pipeline->shard();
    const shard::Totals& totals = shard.totals();
    add(sum.totals.applied, totals.applied);
    // Stopped before the directory's definitions came into force, a shard has counts of older ones.
    if (shard.definitions().hash() == definitions.hash()) {
      add(sum.totals.moves, totals.moves);
      add(sum.totals.entered, totals.entered);
      add(sum.totals.left, totals.left);
      add(sum.population, shard.population());
    }
    add(sum.rejects, parts.pipeline->rejects());
    sum.totals.duplicates += totals.duplicates;
    sum.totals.erased += totals.erased;
    sum.totals.timers += totals.timers;
    sum.totals.outputs += totals.outputs;
    sum.users += shard.users();
    sum.high = std::max(sum.high, shard.high());
    sum.memory_bytes_users += shard.memory_bytes();
  }
  sum.stopped = stop;
  return sum;
}

}  // namespace segue::replay
