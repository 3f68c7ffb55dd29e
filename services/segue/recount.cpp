// SPDX-License-Identifier: Apache-2.0
#include "services/segue/recount.h"

#include <algorithm>

#include "lib/codec/event_decoder.h"
#include "lib/filelog/commit_check.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/journal_file.h"
#include "lib/filelog/log_reader.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/pipeline/store_contents.h"
#include "services/replay/log_run.h"
#include "services/tools/display.h"

namespace segue::program {
namespace {

// Calls `visit` with the journal's records up to `last`.
Result<> for_each_record(filelog::FileSystem& files, const std::string& directory, const std::string& shard, uint64_t last,
                         const std::function<Result<>(codec::JournalRecord&)>& visit) {
  if (last == 0) return {};
  const std::string path = filelog::shard_paths(directory, shard).journal;
  const auto file = files.open_to_read(path);
  if (!file) return tl::unexpected<Error>(file.error());
  filelog::JournalReader reader(**file, path, shard);
  const auto header = reader.read_header();
  if (!header) return tl::unexpected<Error>(header.error());
  for (uint64_t at = 0; at < last;) {
    auto record = reader.next();
    if (!record) return tl::unexpected<Error>(record.error());
    if (!*record) return fail(ErrorClass::kData, path + ": ends before commit " + std::to_string(last));
    at = (*record)->sequence;
    SEGUE_TRY(visit(**record));
  }
  return {};
}

// One shard's recount: first up to its checkpoint, where the states are compared, then up to its last commit.
class ShardRecount {
 public:
  ShardRecount(StateReader& reader, filelog::FileSystem& files, size_t shard) : reader_(reader), files_(files), shard_(shard) {}

  Result<> open(const std::string& work, size_t share, std::string partition) {
    const auto durable = filelog::durable_lengths(files_, reader_.directory().path, reader_.directory().shard_name(shard_));
    // kUsage: no journal, so no commit either.
    if (!durable && durable.error().kind != ErrorClass::kUsage) return tl::unexpected<Error>(durable.error());
    last_commit_ = durable ? durable->sequence : 0;
    auto meta = reader_.meta(shard_);
    if (!meta) return tl::unexpected<Error>(meta.error());
    meta_ = std::move(*meta);
    if (meta_ && meta_->sequence > last_commit_)
      return fail(ErrorClass::kData, name() + ": the checkpoint contains commit " + std::to_string(meta_->sequence) + ", the journal ends at " +
                                         std::to_string(last_commit_));
    rocks::RocksOptions options;
    options.path = work + "/" + name();
    options.block_cache_bytes = size_t{32} << 20;
    auto store = rocks::RocksStore::open(options);
    if (!store) return tl::unexpected<Error>(store.error());
    store_ = std::move(*store);
    options_.share = share;
    options_.tells_rejects = share == 0;
    options_.partition = std::move(partition);
    SEGUE_TRY(begin_stage(meta_ ? meta_->sequence : last_commit_));
    if (!pipeline_->replaying()) SEGUE_TRY(end_stage());
    return {};
  }

  bool done() const { return done_; }
  Result<> take(pipeline::DecodedChunk& chunk) {
    const Position end = chunk.end;
    // At most two rounds: the checkpoint and the last commit may both lie in one chunk. A commit that only moved the clock ends where it began.
    while (!done_ && (pipeline_->position() < end || pipeline_->position() == stage_end_)) {
      chunk.end = std::min(end, stage_end_);
      const auto taken = pipeline_->take(chunk);
      chunk.end = end;
      if (!taken) return fail(taken.error().kind, name() + ": " + taken.error().message);
      if (pipeline_->replaying()) return {};
      SEGUE_TRY(end_stage());
    }
    return {};
  }
  Result<> finish() const {
    if (done_) return {};
    return fail(ErrorClass::kData, name() + ": the log ends before the last commit: it was cut, or is another log");
  }
  void add_to(RecountReport& report) const {
    report.commits += last_commit_;
    report.pages += pages_;
    report.erased += erased_;
  }

 private:
  std::string name() const { return reader_.directory().shard_name(shard_); }

  Result<> begin_stage(uint64_t last) {
    const auto& directory = reader_.directory();
    pipeline_ = std::make_unique<pipeline::ShardPipeline>(options_, pipeline::Genesis{directory.definitions, directory.erasure_key, {}}, *store_);
    SEGUE_TRY(pipeline_->recover());
    stage_commit_ = last;
    stage_end_ = Position{UINT64_MAX, UINT64_MAX};
    return for_each_record(files_, directory.path, name(), last, [&](codec::JournalRecord& record) {
      stage_end_ = record.next;
      return pipeline_->follow(std::move(record), 0);
    });
  }

  // All commits of the stage came out right.
  Result<> end_stage() {
    const bool at_checkpoint = meta_ && stage_commit_ == meta_->sequence;
    if (at_checkpoint && !compared_) {
      SEGUE_TRY(pipeline_->finish());
      SEGUE_TRY(compare_state());
    }
    if (stage_commit_ == last_commit_) {
      done_ = true;
      return {};
    }
    SEGUE_TRY(begin_stage(last_commit_));
    return {};
  }

  Result<> compare_state() {
    compared_ = true;
    auto& stored = *reader_.store(shard_);
    const auto pages = pipeline::compare_entries(stored, *store_, codec::kPagePrefix, "page");
    if (!pages) return fail(pages.error().kind, name() + ": " + pages.error().message);
    const auto erased = pipeline::compare_entries(stored, *store_, codec::kErasedPrefix, "erased user");
    if (!erased) return fail(erased.error().kind, name() + ": " + erased.error().message);
    if (meta_->has_audiences) {
      const auto audiences = pipeline::compare_entries(stored, *store_, codec::kAudiencePrefix, "entry of the audience index");
      if (!audiences) return fail(audiences.error().kind, name() + ": " + audiences.error().message);
    }
    pages_ = *pages;
    erased_ = *erased;
    auto made = pipeline::load_meta(*store_);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    if (*made) (*made)->program = meta_->program;  // another version may have written it
    if (*made != meta_) return fail(ErrorClass::kData, name() + ": position, clock or totals of the checkpoint are not what the log gives");
    return {};
  }

  StateReader& reader_;
  filelog::FileSystem& files_;
  const size_t shard_;
  uint64_t last_commit_ = 0;
  std::optional<codec::ShardMeta> meta_;
  pipeline::ShardPipeline::Options options_;
  std::unique_ptr<rocks::RocksStore> store_;
  std::unique_ptr<pipeline::ShardPipeline> pipeline_;  // after what it stands on
  uint64_t stage_commit_ = 0;                          // the stage ends with this commit
  Position stage_end_;
  bool compared_ = false;
  bool done_ = false;
  uint64_t pages_ = 0;
  uint64_t erased_ = 0;
};

// One log, and the shards over it.
struct LogShards {
  std::vector<std::string> paths;
  size_t first = 0;
  size_t count = 0;
};

std::vector<LogShards> logs_of(const replay::StateDirectory& directory) {
  if (!directory.partitioned) return {{directory.logs, 0, directory.shards}};
  std::vector<LogShards> logs;
  for (size_t i = 0; i < directory.shards; ++i) logs.push_back({{directory.logs[i]}, i, 1});
  return logs;
}

}  // namespace

Result<RecountReport> recount(StateReader& reader, const std::string& work, const std::atomic<bool>& stop,
                              const std::function<void(uint64_t consumed_bytes, uint64_t total_bytes)>& progress) {
  filelog::PosixFileSystem files;
  RecountReport report;
  for (const LogShards& log : logs_of(reader.directory())) {
    std::vector<std::unique_ptr<ShardRecount>> shards;
    for (size_t i = 0; i < log.count; ++i) {
      shards.push_back(std::make_unique<ShardRecount>(reader, files, log.first + i));
      SEGUE_TRY(shards.back()->open(work, i, filelog::file_name(log.paths[0])));
    }
    auto log_reader = filelog::LogReader::open(files, log.paths, Position{});
    if (!log_reader) return tl::unexpected<Error>(log_reader.error());
    filelog::Chunk chunk;
    codec::EventDecoder decoder;
    Arena arena;
    pipeline::DecodedChunk decoded;
    decoded.shares.resize(log.count);
    const auto all_done = [&] { return std::all_of(shards.begin(), shards.end(), [](const auto& shard) { return shard->done(); }); };
    for (chunk.last = false; !chunk.last && !all_done();) {
      if (stop) {
        report.stopped = true;
        return report;
      }
      SEGUE_TRY((*log_reader)->next(chunk));
      arena.clear();
      replay::decode_chunk(chunk, decoder, arena, decoded);
      for (auto& shard : shards) SEGUE_TRY(shard->take(decoded));
      const auto bytes = (*log_reader)->progress();
      progress(bytes.consumed_bytes, bytes.total_bytes);
    }
    for (const auto& shard : shards) {
      SEGUE_TRY(shard->finish());
      shard->add_to(report);
    }
  }
  return report;
}

}  // namespace segue::program
