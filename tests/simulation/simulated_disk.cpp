// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulated_disk.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>

namespace segue::simulation {
namespace {

using Lock = std::lock_guard<std::mutex>;

// What a crash leaves of a file: all that was synced, and of the rest nothing, all, or a part whose end may be rubbish.
void tear(SimulatedDisk::File& file, bool rubbish_tails, std::mt19937_64& random) {
  const size_t loose = file.bytes.size() - file.synced;
  if (loose == 0) return;
  const uint64_t fate = random() % 4;
  if (fate == 0) file.bytes.resize(file.synced);
  if (fate >= 2) {
    const size_t kept = random() % (loose + 1);
    file.bytes.resize(file.synced + kept);
    // Blocks reach the disk in any order: the last of the kept bytes may be zeros, or another file's.
    if (fate == 3 && kept != 0 && rubbish_tails) {
      const size_t rubbish = 1 + random() % std::min<size_t>(kept, 512);
      const char fill = random() % 2 == 0 ? '\0' : static_cast<char>(random());
      std::memset(file.bytes.data() + file.bytes.size() - rubbish, fill, rubbish);
    }
  }
  file.synced = file.bytes.size();
}

}  // namespace

std::string SimulatedDisk::directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

uint64_t SimulatedDisk::operations() const {
  const Lock lock(mutex_);
  return operations_;
}

void SimulatedDisk::reset_operations() {
  const Lock lock(mutex_);
  operations_ = 0;
}

void SimulatedDisk::crash_at(uint64_t operation) {
  const Lock lock(mutex_);
  crash_at_ = operation;
}

void SimulatedDisk::fail_at(uint64_t operation) {
  const Lock lock(mutex_);
  fail_at_ = operation;
}

void SimulatedDisk::set_capacity(uint64_t bytes) {
  const Lock lock(mutex_);
  capacity_ = bytes;
}

void SimulatedDisk::set_rubbish_tails(bool on) {
  const Lock lock(mutex_);
  rubbish_tails_ = on;
}

uint64_t SimulatedDisk::used_bytes() const {
  const Lock lock(mutex_);
  return used_;
}

bool SimulatedDisk::crashed() const {
  const Lock lock(mutex_);
  return crashed_;
}

uint64_t SimulatedDisk::used_locked() const {
  std::set<const File*> counted;
  uint64_t used = 0;
  for (const auto& [path, file] : live_)
    if (counted.insert(file.get()).second) used += file->bytes.size();
  return used;
}

void SimulatedDisk::restart(uint64_t seed) {
  const Lock lock(mutex_);
  std::mt19937_64 random(seed);
  // Names reach the disk in order, as a journalling file system writes them: some first part of them survives.
  const size_t kept = random() % (unsynced_.size() + 1);
  for (size_t i = 0; i < kept; ++i)
    for (const auto& [path, file] : unsynced_[i]) file ? (void)(durable_[path] = file) : (void)durable_.erase(path);
  unsynced_.clear();
  ++generation_;
  // New objects, so that a handle from before the crash can change nothing.
  std::map<const File*, FileHandle> survivors;
  for (auto& [path, file] : durable_) {
    FileHandle& survivor = survivors[file.get()];
    if (!survivor) {
      survivor = std::make_shared<File>(*file);
      survivor->generation = generation_;
      survivor->links = 0;
      tear(*survivor, rubbish_tails_, random);
    }
    ++survivor->links;
    file = survivor;
  }
  live_ = durable_;
  locks_.clear();
  crash_at_ = fail_at_ = operations_ = 0;
  crashed_ = false;
  used_ = used_locked();
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::copy() const {
  const Lock lock(mutex_);
  auto disk = std::make_unique<SimulatedDisk>();
  std::map<const File*, FileHandle> copies;
  for (const auto& [path, file] : live_) {
    FileHandle& own = copies[file.get()];
    if (!own) own = std::make_shared<File>(File{file->bytes, file->bytes.size(), 0, disk->generation_});
    ++own->links;
    disk->live_[path] = disk->durable_[path] = own;
  }
  disk->directories_ = directories_;
  disk->used_ = used_;
  return disk;
}

// Counts an operation and says whether it may go on. Requires the lock.
DiskError SimulatedDisk::begin() {
  ++operations_;
  if (crash_at_ != 0 && operations_ >= crash_at_) crashed_ = true;
  return crashed_ || operations_ == fail_at_ ? DiskError::kFailed : DiskError::kNone;
}

// Makes names live at once and durable with the next sync of their directory. Requires the lock.
void SimulatedDisk::change(NameChange change) {
  for (const auto& [path, file] : change) {
    const auto old = live_.find(path);
    if (old != live_.end() && --old->second->links == 0) used_ -= old->second->bytes.size();
    if (file) {
      if (file->links++ == 0) used_ += file->bytes.size();
      live_[path] = file;
    } else {
      live_.erase(path);
    }
  }
  unsynced_.push_back(std::move(change));
}

DiskError SimulatedDisk::create(const std::string& path, FileHandle& file) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  file = std::make_shared<File>();
  file->generation = generation_;
  change({{path, file}});
  return DiskError::kNone;
}

DiskError SimulatedDisk::open_to_append(const std::string& path, FileHandle& file) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  const auto found = live_.find(path);
  if (found == live_.end()) return DiskError::kNotFound;
  file = found->second;
  return DiskError::kNone;
}

DiskError SimulatedDisk::append(const FileHandle& file, std::string_view bytes) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  if (stale(file)) return DiskError::kFailed;
  // A full disk takes what fits, as write(2) does.
  size_t fits = bytes.size();
  if (capacity_ != 0) fits = std::min<size_t>(fits, capacity_ > used_ ? capacity_ - used_ : 0);
  file->bytes.append(bytes.substr(0, fits));
  if (file->links != 0) used_ += fits;
  return fits == bytes.size() ? DiskError::kNone : DiskError::kFull;
}

DiskError SimulatedDisk::truncate(const FileHandle& file, size_t size) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  if (stale(file)) return DiskError::kFailed;
  if (file->links != 0) used_ = used_ - file->bytes.size() + size;
  file->bytes.resize(size);
  file->synced = std::min(file->synced, size);
  return DiskError::kNone;
}

DiskError SimulatedDisk::sync(const FileHandle& file) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  if (stale(file)) return DiskError::kFailed;
  file->synced = file->bytes.size();
  return DiskError::kNone;
}

DiskError SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  const auto found = live_.find(from);
  if (found == live_.end()) return DiskError::kNotFound;
  const FileHandle file = found->second;
  change({{to, file}, {from, nullptr}});
  return DiskError::kNone;
}

DiskError SimulatedDisk::link(const std::string& from, const std::string& to) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  const auto found = live_.find(from);
  if (found == live_.end()) return DiskError::kNotFound;
  if (live_.contains(to)) return DiskError::kExists;
  const FileHandle file = found->second;
  change({{to, file}});
  return DiskError::kNone;
}

DiskError SimulatedDisk::remove(const std::string& path) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  if (!live_.contains(path)) return DiskError::kNotFound;
  change({{path, nullptr}});
  return DiskError::kNone;
}

DiskError SimulatedDisk::make_directory(const std::string& path) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  return directories_.emplace(path, true).second ? DiskError::kNone : DiskError::kExists;
}

DiskError SimulatedDisk::remove_directory(const std::string& path) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  return directories_.erase(path) != 0 ? DiskError::kNone : DiskError::kNotFound;
}

DiskError SimulatedDisk::sync_directory(const std::string& path) {
  const Lock lock(mutex_);
  if (const DiskError error = begin(); error != DiskError::kNone) return error;
  std::erase_if(unsynced_, [&](const NameChange& change) {
    if (directory_of(change.front().first) != path) return false;
    for (const auto& [name, file] : change) file ? (void)(durable_[name] = file) : (void)durable_.erase(name);
    return true;
  });
  return DiskError::kNone;
}

DiskError SimulatedDisk::open(const std::string& path, FileHandle& file) const {
  const Lock lock(mutex_);
  if (crashed_) return DiskError::kFailed;
  const auto found = live_.find(path);
  if (found == live_.end()) return DiskError::kNotFound;
  file = found->second;
  return DiskError::kNone;
}

DiskError SimulatedDisk::read(const FileHandle& file, size_t offset, size_t size, char* to, size_t& got) const {
  const Lock lock(mutex_);
  got = 0;
  if (crashed_ || stale(file)) return DiskError::kFailed;
  if (offset >= file->bytes.size()) return DiskError::kNone;
  got = std::min(size, file->bytes.size() - offset);
  std::memcpy(to, file->bytes.data() + offset, got);
  return DiskError::kNone;
}

size_t SimulatedDisk::size_of(const FileHandle& file) const {
  const Lock lock(mutex_);
  return file->bytes.size();
}

bool SimulatedDisk::exists(const std::string& path) const {
  const Lock lock(mutex_);
  return live_.contains(path) || directories_.contains(path);
}

bool SimulatedDisk::is_directory(const std::string& path) const {
  const Lock lock(mutex_);
  return directories_.contains(path);
}

DiskError SimulatedDisk::list(const std::string& directory, std::vector<std::string>& names) const {
  const Lock lock(mutex_);
  names.clear();
  if (crashed_) return DiskError::kFailed;
  if (!directories_.contains(directory)) return DiskError::kNotFound;
  const auto add = [&](const std::string& path) {
    if (directory_of(path) == directory) names.push_back(path.substr(directory.size() + 1));
  };
  for (const auto& [path, file] : live_) add(path);
  for (const auto& [path, made] : directories_) add(path);
  return DiskError::kNone;
}

std::vector<std::string> SimulatedDisk::paths() const {
  const Lock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [path, file] : live_) all.push_back(path);
  return all;
}

DiskError SimulatedDisk::lock(const std::string& path) {
  const Lock lock(mutex_);
  if (crashed_) return DiskError::kFailed;
  return locks_.emplace(path, true).second ? DiskError::kNone : DiskError::kFailed;
}

void SimulatedDisk::unlock(const std::string& path) {
  const Lock lock(mutex_);
  locks_.erase(path);
}

std::string SimulatedDisk::contents(const std::string& path) const {
  const Lock lock(mutex_);
  const auto found = live_.find(path);
  return found == live_.end() ? std::string() : found->second->bytes;
}

void SimulatedDisk::replace(const std::string& path, std::string bytes) {
  const Lock lock(mutex_);
  const FileHandle file = std::make_shared<File>(File{std::move(bytes), 0, 0, generation_});
  file->synced = file->bytes.size();
  change({{path, file}});
  durable_[path] = file;
  unsynced_.pop_back();
}

}  // namespace segue::simulation
