// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "lib/base/hash.h"

namespace segue::filelog {
namespace {

constexpr uint32_t kMaxPartitions = 1024;
// More syncs at a time than this no longer share a flush for certain.
constexpr uint32_t kSyncsAtATime = 8;

std::string path_of(const std::string& directory, uint32_t partition) { return directory + "/" + std::to_string(partition) + ".ndjson"; }

// How many of 0.ndjson, 1.ndjson, … are there without a gap.
uint32_t count_files(const std::vector<std::string>& names) {
  uint32_t count = 0;
  while (std::binary_search(names.begin(), names.end(), std::to_string(count) + ".ndjson")) ++count;
  return count;
}

// Makes the files from the last to the first: where 0.ndjson is there, all are.
Result<> make_files(FileSystem& files, const std::string& directory, uint32_t partitions) {
  for (uint32_t i = partitions; i-- > 0;) {
    // The others' names are durable before the first one's.
    if (i == 0) SEGUE_TRY(files.sync_directory(directory));
    SEGUE_TRY(files.open_to_append(path_of(directory, i)));
  }
  return files.sync_directory(directory);
}

// Takes away what an interrupted make_files() left: empty files. kData where one has content, so that 0.ndjson got lost.
Result<> remove_leftovers(FileSystem& files, const std::string& directory, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!name.ends_with(".ndjson")) continue;
    const std::string path = directory + "/" + name;
    const auto file = files.open_to_read(path);
    if (!file) return tl::unexpected(file.error());
    const auto size = (*file)->size();
    if (!size) return tl::unexpected(size.error());
    if (*size != 0) return fail(ErrorClass::kData, directory + " has " + name + " but no 0.ndjson");
    SEGUE_TRY(files.remove(path));
  }
  return {};
}

// The number of bytes up to and with the last newline.
Result<uint64_t> whole_lines(const File& file, uint64_t size) {
  std::array<char, 65536> buffer;
  while (size > 0) {
    const uint64_t begin = size > buffer.size() ? size - buffer.size() : 0;
    auto got = file.read_at(begin, std::span(buffer.data(), static_cast<size_t>(size - begin)));
    if (!got) return tl::unexpected(std::move(got).error());
    const std::string_view bytes(buffer.data(), *got);
    if (const size_t newline = bytes.rfind('\n'); newline != bytes.npos) return begin + newline + 1;
    size = begin;
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::open(FileSystem& files, Options options) {
  const std::string& directory = options.directory;
  SEGUE_TRY(files.make_directories(directory));
  const auto names = files.list(directory);
  if (!names) return tl::unexpected(names.error());
  uint32_t found = count_files(*names);
  const uint32_t wanted = options.partitions;
  if (found != 0 && wanted != 0 && found != wanted) {
    return fail(ErrorClass::kUsage, directory + " has " + std::to_string(found) + " files, not " + std::to_string(wanted) +
                                        ": users would change their file; the number is fixed when the log is made");
  }
  if (found == 0) {
    found = std::max(wanted, 1u);
    if (found > kMaxPartitions) return fail(ErrorClass::kUsage, "a log has at most " + std::to_string(kMaxPartitions) + " files");
    SEGUE_TRY(remove_leftovers(files, directory, *names));
    SEGUE_TRY(make_files(files, directory, found));
  }
  std::unique_ptr<LogWriter> writer(new LogWriter(std::move(options)));
  SEGUE_TRY(writer->open_files(files, found));
  writer->next_.lines.resize(found);
  writer->team_ = std::make_unique<SyncTeam>(std::min(found, kSyncsAtATime) - 1);
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

Result<> LogWriter::open_files(FileSystem& files, uint32_t partitions) {
  for (uint32_t i = 0; i < partitions; ++i) {
    auto log = std::make_unique<LogFile>();
    log->path = path_of(options_.directory, i);
    auto file = files.open_to_append(log->path);
    if (!file) return tl::unexpected(std::move(file).error());
    log->file = std::move(*file);
    const auto size = log->file->size();
    if (!size) return tl::unexpected(size.error());
    const auto whole = whole_lines(*log->file, *size);
    if (!whole) return tl::unexpected(whole.error());
    if (*whole != *size) SEGUE_TRY(log->file->truncate(*whole));
    // Lines that a killed process wrote and did not sync become part of the log here.
    SEGUE_TRY(log->file->sync());
    log->durable.store(*whole, std::memory_order_release);
    files_.push_back(std::move(log));
  }
  return {};
}

LogWriter::~LogWriter() { stop(); }

void LogWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> LogWriter::paths() const {
  std::vector<std::string> paths;
  for (const auto& log : files_) paths.push_back(log->path);
  return paths;
}

LogWriter::Totals LogWriter::totals() const {
  const std::lock_guard lock(mutex_);
  Totals totals = totals_;
  totals.waiting_bytes = waiting_bytes_;
  return totals;
}

std::string LogWriter::trouble() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() - trouble_at_ < kTrouble ? trouble_ : std::string();
}

intake::Admission LogWriter::submit(std::span<const intake::SinkRecord> records, Completion done) {
  // Hashing happens outside the lock.
  std::vector<uint32_t> partition_of(records.size());
  std::vector<uint32_t> touched;
  size_t bytes = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    partition_of[i] = static_cast<uint32_t>(log_partition(records[i].user_id, partitions()));
    if (std::find(touched.begin(), touched.end(), partition_of[i]) == touched.end()) touched.push_back(partition_of[i]);
    bytes += records[i].line.size() + 1;
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return intake::Admission::kStopped;
    // A request above the limit may come when nothing waits.
    if (waiting_bytes_ != 0 && waiting_bytes_ + bytes > options_.queue_bytes) return intake::Admission::kFull;
    for (size_t i = 0; i < records.size(); ++i) next_.lines[partition_of[i]].append(records[i].line).push_back('\n');
    next_.bytes += bytes;
    waiting_bytes_ += bytes;
    next_.waiters.push_back({std::move(touched), std::move(done)});
  }
  changed_.notify_one();
  return intake::Admission::kTaken;
}

void LogWriter::run() {
  Round round;
  round.lines.resize(files_.size());
  while (true) {
    {
      std::unique_lock lock(mutex_);
      waiting_bytes_ -= round.bytes;
      round.bytes = 0;
      changed_.wait(lock, [this] { return stopping_ || !next_.waiters.empty(); });
      if (next_.waiters.empty()) return;
      std::swap(round, next_);  // next_ gets the cleared buffers of the round before
    }
    write(round);
  }
}

// Leaves the round empty but for its bytes, which still count as waiting.
void LogWriter::write(Round& round) {
  std::vector<std::optional<Error>> errors(files_.size());
  std::vector<File*> appended;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (round.lines[i].empty()) continue;
    if (auto result = append(*files_[i], round.lines[i])) {
      appended.push_back(files_[i]->file.get());
    } else {
      errors[i] = std::move(result).error();
    }
  }
  std::vector<Result<>> synced = team_->sync(appended);
  Totals delta;
  for (size_t i = 0, next = 0; i < files_.size(); ++i) {
    const size_t bytes = round.lines[i].size();
    if (bytes == 0) continue;
    round.lines[i].clear();
    LogFile& log = *files_[i];
    if (!errors[i]) {
      Result<>& result = synced[next++];
      if (!result) take_back(log), errors[i] = std::move(result).error();
    }
    if (!errors[i]) {
      delta.bytes += bytes;
      log.durable.store(log.durable.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
      if (options_.on_durable) options_.on_durable(static_cast<uint32_t>(i));
    } else {
      // Whatever it was, the client may come again: the disk gets room, or an operator sees the error.
      errors[i]->kind = ErrorClass::kRetry;
      ++delta.errors;
      if (options_.on_error) options_.on_error(*errors[i]);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    totals_.bytes += delta.bytes;
    totals_.errors += delta.errors;
    ++totals_.syncs;
    trouble_.clear();
    for (const auto& error : errors)
      if (error) trouble_ = error->message, trouble_at_ = std::chrono::steady_clock::now();
  }
  for (Waiter& waiter : round.waiters) {
    Result<> result;
    for (const uint32_t partition : waiter.touched)
      if (errors[partition]) result = tl::unexpected(*errors[partition]);
    waiter.done(result);
  }
  round.waiters.clear();
}

// Not durable yet. After an error nothing of it stays.
Result<> LogWriter::append(LogFile& log, const std::string& lines) {
  if (log.damaged) {
    SEGUE_TRY(log.file->truncate(log.durable.load(std::memory_order_relaxed)));
    log.damaged = false;
  }
  Result<> appended = log.file->append(lines);
  if (!appended) take_back(log);
  return appended;
}

// A part of a line would spoil the next one. Where even the cut fails it is tried again before the next write.
void LogWriter::take_back(LogFile& log) { log.damaged = !log.file->truncate(log.durable.load(std::memory_order_relaxed)).has_value(); }

}  // namespace segue::filelog
