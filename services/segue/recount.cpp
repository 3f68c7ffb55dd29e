// SPDX-License-Identifier: Apache-2.0
#include "services/segue/recount.h"

#include <algorithm>

#include "lib/codec/event_decoder.h"
#include "lib/filelog/commit_check.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/journal_file.h"
#include "lib/filelog/log_reader.h"
#include "lib/pipeline/shard_pipeline.h"
#include "services/replay/log_run.h"
#include "services/tools/display.h"

namespace segue::program {
namespace {

// Pages compared at a time.
constexpr size_t kSlice = 1024;

// The journal of a shard, shown to a pipeline as commits that it has to repeat. Nothing may be committed beyond.
class RepeatedCommits final : public pipeline::CommitPort {
 public:
  // Records up to `last`.
  RepeatedCommits(filelog::FileSystem& files, const std::string& directory, std::string shard, uint64_t last)
      : files_(files), path_(filelog::shard_paths(directory, shard).journal), shard_(std::move(shard)), last_(last) {}

  Result<> for_each_since(uint64_t sequence, const std::function<Result<>(const codec::JournalRecord&)>& visit) override {
    if (last_ <= sequence) return {};
    const auto file = files_.open_to_read(path_);
    if (!file) return tl::unexpected<Error>(file.error());
    filelog::JournalReader reader(**file, path_, shard_);
    const auto header = reader.read_header();
    if (!header) return tl::unexpected<Error>(header.error());
    for (uint64_t at = 0; *header && at < last_;) {
      const auto record = reader.next();
      if (!record) return tl::unexpected<Error>(record.error());
      if (!*record) return fail(ErrorClass::kData, path_ + ": ends before commit " + std::to_string(last_));
      at = (*record)->sequence;
      if (at > sequence) SEGUE_TRY(visit(**record));
    }
    return {};
  }
  Result<> commit(const pipeline::CommitOutputs&, codec::JournalRecord&) override {
    return fail(ErrorClass::kData, path_ + ": the recount came to an end between two commits");
  }

 private:
  filelog::FileSystem& files_;
  const std::string path_;
  const std::string shard_;
  const uint64_t last_;
};

// The entries under `prefix` of `mine` are in `theirs` with the same bytes, and no others. Returns how many.
Result<uint64_t> compare_entries(pipeline::Store& mine, pipeline::Store& theirs, std::string_view prefix, const std::string& what) {
  uint64_t count = 0, others = 0;
  std::vector<std::string> keys, values;
  const auto compare_slice = [&]() -> Result<> {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    Result<> same;
    SEGUE_TRY(theirs.load(views, [&](size_t i, std::optional<std::string_view> value) {
      if (!same || (value && *value == values[i])) return;
      const auto user = codec::user_of_page_key(keys[i]);
      same = fail(ErrorClass::kData, what + (user ? " of user " + tools::printable(*user) : std::string()) +
                                         (value ? " has other bytes than the log gives" : " is not what the log gives: it should not be there"));
    }));
    count += keys.size();
    keys.clear();
    values.clear();
    return same;
  };
  SEGUE_TRY(mine.scan(prefix, [&](std::string_view key, std::string_view value) -> Result<> {
    keys.emplace_back(key);
    values.emplace_back(value);
    return keys.size() < kSlice ? Result<>() : compare_slice();
  }));
  SEGUE_TRY(compare_slice());
  SEGUE_TRY(theirs.scan(prefix, [&](std::string_view, std::string_view) -> Result<> {
    ++others;
    return {};
  }));
  if (others != count)
    return fail(ErrorClass::kData, "the log gives " + std::to_string(others) + " of " + what + ", the state has " + std::to_string(count));
  return count;
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
    commits_ = std::make_unique<RepeatedCommits>(files_, directory.path, name(), last);
    pipeline_ = std::make_unique<pipeline::ShardPipeline>(options_, directory.definitions, directory.erasure_key, *store_, *commits_);
    SEGUE_TRY(pipeline_->recover());
    stage_commit_ = last;
    stage_end_ = Position{UINT64_MAX, UINT64_MAX};
    return commits_->for_each_since(last - std::min<uint64_t>(last, 1), [&](const codec::JournalRecord& record) -> Result<> {
      stage_end_ = record.next;
      return {};
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
    const auto pages = compare_entries(stored, *store_, codec::kPagePrefix, "page");
    if (!pages) return fail(pages.error().kind, name() + ": " + pages.error().message);
    const auto erased = compare_entries(stored, *store_, codec::kErasedPrefix, "erased user");
    if (!erased) return fail(erased.error().kind, name() + ": " + erased.error().message);
    pages_ = *pages;
    erased_ = *erased;
    codec::ShardMeta made;
    Result<> decoded;
    const std::string_view key = codec::kMetaKey;
    SEGUE_TRY(store_->load({&key, 1}, [&](size_t, std::optional<std::string_view> value) {
      auto meta = codec::decode_shard_meta(value.value_or(std::string_view()));
      if (meta) made = std::move(*meta);
      if (!meta) decoded = tl::unexpected<Error>(meta.error());
    }));
    SEGUE_TRY(decoded);
    made.program = meta_->program;  // another version may have written it
    if (made != *meta_) return fail(ErrorClass::kData, name() + ": position, clock or totals of the checkpoint are not what the log gives");
    return {};
  }

  StateReader& reader_;
  filelog::FileSystem& files_;
  const size_t shard_;
  uint64_t last_commit_ = 0;
  std::optional<codec::ShardMeta> meta_;
  pipeline::ShardPipeline::Options options_;
  std::unique_ptr<rocks::RocksStore> store_;
  std::unique_ptr<RepeatedCommits> commits_;
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
