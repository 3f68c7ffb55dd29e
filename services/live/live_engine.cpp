// SPDX-License-Identifier: Apache-2.0
#include "services/live/live_engine.h"

#include <algorithm>
#include <filesystem>

#include "lib/base/hash.h"
#include "lib/filelog/log_identity.h"
#include "services/live/file_transitions.h"

namespace segue::live {
namespace {

// DIR/log/0.ndjson to P-1, made where there are none: from the last to the first, so that whoever finds the first finds all.
Result<std::vector<std::string>> prepare_log(filelog::FileSystem& files, const std::string& directory, size_t partitions) {
  const std::string folder = directory + "/log";
  SEGUE_TRY(files.make_directories(folder));
  const auto path = [&](size_t partition) { return folder + "/" + std::to_string(partition) + ".ndjson"; };
  const auto made = files.exists(path(0));
  if (!made) return tl::unexpected<Error>(made.error());
  if (!*made) {
    for (size_t i = std::max<size_t>(partitions, 1); i-- > 0;) {
      const auto file = files.open_to_append(path(i));
      if (!file) return tl::unexpected<Error>(file.error());
      SEGUE_TRY(files.sync_directory(folder));
    }
  }
  std::vector<std::string> paths;
  for (;;) {
    const auto exists = files.exists(path(paths.size()));
    if (!exists) return tl::unexpected<Error>(exists.error());
    if (!*exists) break;
    paths.push_back(path(paths.size()));
  }
  if (partitions != 0 && partitions != paths.size())
    return fail(ErrorClass::kUsage, folder + ": has " + std::to_string(paths.size()) + " partitions, not " + std::to_string(partitions) +
                                        ": their number is fixed once the log is made");
  return paths;
}

}  // namespace

LiveEngine::LiveEngine(filelog::FileSystem& files, LiveOptions options) : files_(files), options_(std::move(options)), places_(log_partition) {}

LiveEngine::~LiveEngine() = default;

Result<std::unique_ptr<LiveEngine>> LiveEngine::open(filelog::FileSystem& files, LiveOptions options) {
  std::unique_ptr<LiveEngine> engine(new LiveEngine(files, std::move(options)));
  if (auto opened = engine->open(); !opened) return tl::unexpected<Error>(std::move(opened.error()));
  return engine;
}

Result<> LiveEngine::open() {
  std::error_code error;
  options_.directory = std::filesystem::absolute(options_.directory, error).lexically_normal().string();
  auto logs = prepare_log(files_, options_.directory, options_.partitions);
  if (!logs) return tl::unexpected<Error>(std::move(logs.error()));
  replay::StateDirectory wanted;
  wanted.path = options_.directory;
  wanted.logs = std::move(*logs);
  wanted.partitioned = true;
  wanted.shards = wanted.logs.size();
  wanted.definitions = options_.definitions;
  auto directory = replay::StateDirectory::create_or_read(files_, wanted);
  if (!directory) return tl::unexpected<Error>(std::move(directory.error()));
  directory_ = std::move(*directory);
  SEGUE_TRY(filelog::bind_log(files_, directory_.path, directory_.logs, filelog::LogKind::kPartitions));
  wanted_ = directory_.definitions;
  places_.set_partitions(directory_.shards);
  around_.emplace(Surroundings{files_, options_, directory_, rocks::make_block_cache(options_.block_cache_bytes), places_, feed_,
                               std::make_shared<FileTransitions>(files_, directory_.path), [this] { return this->wanted(); },
                               [this](Error failure) { fail(std::move(failure)); }});
  for (size_t i = 0; i < directory_.shards; ++i) shards_.push_back(std::make_unique<LiveShard>(*around_, static_cast<int32_t>(i)));
  return {};
}

void LiveEngine::start() {
  for (const auto& shard : shards_) shard->start();
}

void LiveEngine::stop(Clock::time_point deadline) {
  for (const auto& shard : shards_) shard->stop(deadline);
  for (const auto& shard : shards_) shard->join();
}

void LiveEngine::fail(Error error) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (error_) return;
    error_ = std::move(error);
    call = on_failure_;
  }
  if (call) call();
}

std::optional<Error> LiveEngine::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void LiveEngine::on_failure(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  on_failure_ = std::move(call);
}

void LiveEngine::notice() {
  for (const auto& shard : shards_) shard->wake();
}

Result<> LiveEngine::want(std::shared_ptr<const segment::Definitions> definitions) {
  {
    // First on disk: a restart must not fall back to those before.
    const std::lock_guard storing(storing_);
    replay::StateDirectory next = directory_;
    next.definitions = definitions;
    auto stored = replay::StateDirectory::create_or_read(files_, next);
    if (!stored) return tl::unexpected<Error>(std::move(stored.error()));
    const std::lock_guard lock(mutex_);
    wanted_ = std::move(definitions);
  }
  notice();
  return {};
}

std::shared_ptr<const segment::Definitions> LiveEngine::wanted() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

std::vector<ShardStatus> LiveEngine::statuses() const {
  std::vector<ShardStatus> all;
  for (const auto& shard : shards_) all.push_back(shard->status());
  return all;
}

Clock::duration LiveEngine::longest_turn() const {
  Clock::duration longest{0};
  for (const auto& shard : shards_) longest = std::max(longest, Clock::now() - shard->last_turn());
  return longest;
}

}  // namespace segue::live
