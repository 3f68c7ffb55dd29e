// SPDX-License-Identifier: Apache-2.0
#include "services/replay/log_run.h"

#include <algorithm>

#include "services/replay/state_directory.h"

namespace segue::replay {
namespace {

// Lines whose tokens are found at once (EventDecoder::index_lines).
constexpr size_t kIndexBytes = 128 << 10;

}  // namespace

LogRun::LogRun(filelog::FileSystem& files, Options options, std::vector<Shard> shards)
    : files_(files), options_(std::move(options)), shards_(std::move(shards)) {
  // One to apply and one to decode for each shard; a single shard does one after the other.
  const size_t slots = shards_.size() == 1 ? 1 : 2 * shards_.size();
  for (size_t i = 0; i < slots; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->decoded.shares.resize(shards_.size());
  }
}

Result<> LogRun::prepare() {
  Position from{UINT64_MAX, UINT64_MAX};
  for (const Shard& shard : shards_) {
    SEGUE_TRY(shard.pipeline->recover());
    SEGUE_TRY(shard.pipeline->own(*shard.commits));
    from = std::min(from, shard.pipeline->position());
  }
  auto reader = filelog::LogReader::open(files_, options_.paths, from, {.chunk_bytes = options_.chunk_bytes});
  if (!reader) return tl::unexpected<Error>(reader.error());
  reader_ = std::move(*reader);
  progress_.store(reader_.get());
  return {};
}

filelog::LogReader::Progress LogRun::progress() const {
  const auto* reader = progress_.load();
  return reader == nullptr ? filelog::LogReader::Progress{} : reader->progress();
}

Result<> LogRun::work(size_t share, const std::atomic<bool>& stop) {
  codec::EventDecoder decoder;
  pipeline::ShardPipeline& pipeline = *shards_[share].pipeline;
  uint64_t wanted = 0;
  for (;;) {
    std::unique_lock lock(mutex_);
    if (error_) return tl::unexpected<Error>(*error_);
    if (stop.load(std::memory_order_relaxed)) break;
    Slot* slot = nullptr;
    const Task task = next_task(wanted, slot);
    if (task == Task::kEnd) break;
    if (task == Task::kWait) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    if (task == Task::kDecode) {
      if (auto decoded = decode(*slot, decoder); !decoded) return fail_all(std::move(decoded.error()));
      continue;
    }
    if (auto taken = pipeline.take_all(slot->decoded); !taken) return fail_all(std::move(taken.error()));
    ++wanted;
    lock.lock();
    if (--slot->takers == 0) slot->ready = false;
    lock.unlock();
    changed_.notify_all();
  }
  changed_.notify_all();  // who waits for this shard to take a chunk must look again
  // A stop may come before the journal's end is reached again; the rest of it is replayed next time.
  if (stop.load(std::memory_order_relaxed) && pipeline.replaying()) return {};
  if (auto finished = pipeline.finish(); !finished) return fail_all(std::move(finished.error()));
  return {};
}

LogRun::Task LogRun::next_task(uint64_t wanted, Slot*& slot) {
  const auto ready = std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s->ready && s->index == wanted; });
  if (ready != slots_.end()) {
    slot = ready->get();
    return Task::kApply;
  }
  if (ended_ && wanted == next_index_) return Task::kEnd;
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const auto& s) { return s->takers == 0; });
  if (ended_ || reading_ || free == slots_.end()) return Task::kWait;
  slot = free->get();
  slot->takers = shards_.size();
  slot->index = next_index_++;
  reading_ = true;
  return Task::kDecode;
}

Result<> LogRun::decode(Slot& slot, codec::EventDecoder& decoder) {
  auto read = reader_->next(slot.chunk);
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    ended_ = read && slot.chunk.last;
  }
  changed_.notify_all();
  SEGUE_TRY(read);
  slot.arena.clear();
  decode_chunk(slot.chunk, decoder, slot.arena, slot.decoded);
  {
    const std::lock_guard lock(mutex_);
    slot.ready = true;
  }
  changed_.notify_all();
  return {};
}

Result<> LogRun::fail_all(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }
  changed_.notify_all();
  return tl::unexpected<Error>(std::move(error));
}

void decode_chunk(const filelog::Chunk& chunk, codec::EventDecoder& decoder, Arena& arena, pipeline::DecodedChunk& out) {
  out.clear();
  out.begin = chunk.begin;
  out.end = chunk.end;
  out.records.reserve(chunk.lines.size());
  size_t indexed = 0;  // bytes of the chunk whose lines are indexed
  for (size_t i = 0; i < chunk.lines.size(); ++i) {
    const filelog::Line& line = chunk.lines[i];
    if (line.offset >= indexed) {
      // Whole lines: up to the start of the first line beyond the block.
      const auto beyond = std::partition_point(chunk.lines.begin() + static_cast<ptrdiff_t>(i), chunk.lines.end(),
                                               [&](const filelog::Line& l) { return l.offset < line.offset + kIndexBytes; });
      indexed = beyond == chunk.lines.end() ? chunk.size() : beyond->offset;
      decoder.index_lines({chunk.data() + line.offset, indexed - line.offset});
    }
    const Position at{chunk.begin.offset + line.offset, chunk.begin.line + i};
    const std::string_view bytes = chunk.line(i);
    pipeline::DecodedChunk::Record& record = out.records.emplace_back();  // decoded in place: an event is four cache lines
    const auto rejected =
        line.oversize ? codec::Rejection(event::RejectReason::kRecordTooLarge) : decoder.decode(bytes, kNoTime, arena, record.event);
    if (rejected) {
      out.records.pop_back();
      out.rejects.push_back({at, *rejected, bytes});
      continue;
    }
    record.at = at;
    record.high = out.high = std::max(out.high, record.event.ts);
    const size_t share = out.shares.size() == 1 ? 0 : share_of(record.event.user_id, out.shares.size());
    out.shares[share].push_back(static_cast<uint32_t>(out.records.size() - 1));
  }
}

}  // namespace segue::replay
