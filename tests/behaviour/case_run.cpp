// SPDX-License-Identifier: Apache-2.0
#include "tests/behaviour/case_run.h"

#include <gtest/gtest.h>

#include "lib/codec/state_keys.h"
#include "lib/filelog/log_reader.h"
#include "lib/filelog/memory_file_system.h"
#include "services/replay/log_run.h"
#include "tests/behaviour/memory_commits.h"

namespace segue::behaviour {
namespace {

constexpr const char* kPath = "/log/events.ndjson";
constexpr std::array<uint8_t, 16> kErasureKey = {7, 7, 7};

// One shard over the whole log, with what outlives the program.
class ShardRun {
 public:
  ShardRun(filelog::MemoryFileSystem& files, std::shared_ptr<const segment::Definitions> definitions, const Manner& manner, size_t share)
      : files_(files), definitions_(std::move(definitions)), manner_(manner), share_(share) {}

  Result<> run(Outcome& outcome) {
    for (bool ended = false; !ended;) {
      ++outcome.lives;
      SEGUE_TRY(live(ended, outcome));
      store_.crash();
    }
    outcome.transitions += commits_.transitions();
    outcome.dead_letters += commits_.dead_letters();
    for (const auto& [key, page] : store_.contents())
      if (key != codec::kMetaKey) outcome.pages.emplace(key, page);
    outcome.loads += store_.loads();
    return {};
  }

 private:
  Result<> live(bool& ended, Outcome& outcome) {
    pipeline::ShardPipeline::Options options = manner_.options;
    options.partition = "events.ndjson";
    options.share = share_;
    options.tells_rejects = share_ == 0;
    pipeline::ShardPipeline pipeline(options, {definitions_, kErasureKey, {}}, store_);
    SEGUE_TRY(pipeline.recover());
    SEGUE_TRY(pipeline.own(commits_));
    auto reader = filelog::LogReader::open(files_, {kPath}, pipeline.position(), {.chunk_bytes = manner_.chunk_bytes});
    if (!reader) return tl::unexpected<Error>(reader.error());
    const size_t committed = commits_.journal().size();
    filelog::Chunk chunk;
    codec::EventDecoder decoder;
    Arena arena;
    pipeline::DecodedChunk decoded;
    decoded.shares.resize(manner_.shards);
    do {
      SEGUE_TRY((*reader)->next(chunk));
      arena.clear();
      replay::decode_chunk(chunk, decoder, arena, decoded);
      SEGUE_TRY(pipeline.take_all(decoded));
      if (manner_.dies && commits_.journal().size() > committed) return {};
    } while (!chunk.last);
    SEGUE_TRY(pipeline.finish());
    ended = true;
    for (const uint64_t told : pipeline.rejects()) outcome.counts["unusable"] += told;
    count(pipeline.shard(), outcome);
    return {};
  }
  void count(const shard::Shard& shard, Outcome& outcome) const {
    const shard::Totals& totals = shard.totals();
    outcome.counts["duplicates"] += totals.duplicates;
    outcome.counts["refused"] += totals.erased;
    outcome.counts["timers"] += totals.timers;
    outcome.counts["outputs"] += totals.outputs;
    for (size_t i = 0; i < shard.population().size(); ++i)
      if (shard.population()[i] > 0) outcome.users[definitions_->stage_name(i)] += shard.population()[i];
  }

  filelog::MemoryFileSystem& files_;
  const std::shared_ptr<const segment::Definitions> definitions_;
  const Manner& manner_;
  const size_t share_;
  MemoryStore store_;
  MemoryCommits commits_;
};

}  // namespace

Outcome run(const std::string& log, const std::shared_ptr<const segment::Definitions>& definitions, const Manner& manner) {
  filelog::MemoryFileSystem files;
  files.put(kPath, log);
  Outcome outcome;
  for (size_t share = 0; share < manner.shards; ++share)
    if (const auto ran = ShardRun(files, definitions, manner, share).run(outcome); !ran) ADD_FAILURE() << manner.name << ": " << ran.error().message;
  return outcome;
}

}  // namespace segue::behaviour
