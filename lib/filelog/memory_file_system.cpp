// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace segue::filelog {
namespace {

struct Inode {
  std::string now;
  std::string synced;
  size_t untouched = 0;  // the first bytes that no operation since the last sync has changed
  // Before each cut since the last sync: these bytes may have reached the disk, and the cut not.
  std::vector<std::string> before_cuts;
};

using Names = std::map<std::string, std::shared_ptr<Inode>>;

// A change of names that no directory sync has made durable.
struct NameChange {
  std::string removed;  // empty where only a name was added
  std::string added;
  std::shared_ptr<Inode> inode;

  bool touches(const std::string& directory) const {
    return (!removed.empty() && parent_directory(removed) == directory) || (!added.empty() && parent_directory(added) == directory);
  }
  void apply(Names& names) const {
    if (!removed.empty()) names.erase(removed);
    if (!added.empty()) names[added] = inode;
  }
};

using Random = std::mt19937_64;
size_t draw(Random& random, size_t from, size_t to) { return from + static_cast<size_t>(random() % (to - from + 1)); }

// Any length between what no operation touched and the longest of both, torn somewhere, with anything behind the tear.
std::string torn_content(const Inode& inode, const std::string& old, Random& random) {
  const size_t length = draw(random, inode.untouched, std::max(inode.now.size(), old.size()));
  const size_t tear = draw(random, inode.untouched, length);
  std::string content = inode.now.substr(0, std::min(tear, inode.now.size()));
  const uint64_t behind = random() % 3;
  while (content.size() < length) {
    const size_t at = content.size();
    content += behind == 0 && at < old.size() ? old[at] : behind <= 1 ? '\0' : static_cast<char>(random());
  }
  return content;
}

std::string surviving_content(const Inode& inode, uint64_t seed, Random& random) {
  if (seed == 0) return inode.synced;
  if (seed == 1) return inode.now;
  const size_t version = draw(random, 0, inode.before_cuts.size());
  const std::string& old = version == 0 ? inode.synced : inode.before_cuts[version - 1];
  const uint64_t kind = random() % 4;
  return kind == 0 ? old : kind == 1 ? inode.now : torn_content(inode, old, random);
}

}  // namespace

struct MemoryFileSystem::State {
  mutable std::mutex mutex;  // guards everything below
  Names names;
  Names durable_names;
  std::vector<NameChange> changes;
  std::set<std::string> directories{".", "/"};
  std::set<std::string> locks;
  uint64_t operations = 0;
  uint64_t crash_after = UINT64_MAX;
  uint64_t failing = 0;
  std::optional<uint64_t> limit;

  Result<> alive() const {
    if (operations > crash_after) return fail(ErrorClass::kStop, "the simulated machine has crashed");
    return {};
  }
  // Counts an operation on `path`. Sets `fails` where it is the one that was asked to fail.
  Result<> begin(bool& fails) {
    if (operations < UINT64_MAX) ++operations;
    SEGUE_TRY(alive());
    fails = operations == failing;
    return {};
  }
  Result<> begin(const std::string& path) {
    bool fails = false;
    SEGUE_TRY(begin(fails));
    if (fails) return fail(ErrorClass::kRetry, "injected fault at " + path);
    return {};
  }
  uint64_t total() const {
    uint64_t bytes = 0;
    for (const auto& [path, inode] : names) bytes += inode->now.size();
    return bytes;
  }
  void change(NameChange what) {
    what.apply(names);
    changes.push_back(std::move(what));
  }
};

class MemoryFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, std::string path)
      : state_(std::move(state)), inode_(std::move(inode)), path_(std::move(path)) {}

  Result<> append(std::string_view bytes) override {
    const std::lock_guard guard(state_->mutex);
    bool fails = false;
    SEGUE_TRY(state_->begin(fails));
    if (fails) {
      inode_->now.append(bytes.substr(0, bytes.size() / 2));
      return fail(ErrorClass::kRetry, "injected fault at " + path_);
    }
    if (state_->limit) {
      const uint64_t used = state_->total();
      const uint64_t room = *state_->limit > used ? *state_->limit - used : 0;
      if (bytes.size() > room) {
        inode_->now.append(bytes.substr(0, room));
        return fail(ErrorClass::kRetry, "disk full: cannot write " + path_ + ": no space left on the simulated device");
      }
    }
    inode_->now.append(bytes);
    return {};
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const override {
    const std::lock_guard guard(state_->mutex);
    SEGUE_TRY(state_->alive());
    if (offset >= inode_->now.size()) return size_t{0};
    const size_t count = std::min(buffer.size(), static_cast<size_t>(inode_->now.size() - offset));
    if (count > 0) std::memcpy(buffer.data(), inode_->now.data() + offset, count);
    return count;
  }

  Result<> sync() override {
    const std::lock_guard guard(state_->mutex);
    SEGUE_TRY(state_->begin(path_));
    // Only what changed is copied: a simulation syncs often.
    inode_->synced.resize(inode_->untouched);
    inode_->synced.append(inode_->now, inode_->untouched);
    inode_->untouched = inode_->now.size();
    inode_->before_cuts.clear();
    return {};
  }

  Result<uint64_t> size() const override {
    const std::lock_guard guard(state_->mutex);
    SEGUE_TRY(state_->alive());
    return inode_->now.size();
  }

  Result<> truncate(uint64_t size) override {
    const std::lock_guard guard(state_->mutex);
    SEGUE_TRY(state_->begin(path_));
    if (size > inode_->now.size()) return fail(ErrorClass::kStop, "cannot cut " + path_ + ": it is shorter");
    inode_->before_cuts.push_back(inode_->now);
    inode_->now.resize(size);
    inode_->untouched = std::min<size_t>(inode_->untouched, size);
    return {};
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Inode> inode_;
  const std::string path_;
};

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}
  ~MemoryLock() override {
    const std::lock_guard guard(state_->mutex);
    state_->locks.erase(path_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

MemoryFileSystem::MemoryFileSystem() : state_(std::make_shared<State>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open_to_read(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  const auto found = state_->names.find(path);
  if (found == state_->names.end()) return fail(ErrorClass::kUsage, "cannot open " + path + ": no such file");
  return std::make_unique<MemoryFile>(state_, found->second, path);
}

Result<std::unique_ptr<File>> MemoryFileSystem::open_to_append(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  const auto found = state_->names.find(path);
  if (found != state_->names.end()) return std::make_unique<MemoryFile>(state_, found->second, path);
  SEGUE_TRY(state_->begin(path));
  if (!state_->directories.contains(parent_directory(path))) return fail(ErrorClass::kUsage, "cannot open " + path + ": no such directory");
  auto inode = std::make_shared<Inode>();
  state_->change({"", path, inode});
  return std::make_unique<MemoryFile>(state_, inode, path);
}

Result<> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->begin(from));
  const auto found = state_->names.find(from);
  if (found == state_->names.end()) return fail(ErrorClass::kUsage, "cannot rename " + from + ": no such file");
  state_->change({from, to, std::shared_ptr<Inode>(found->second)});
  return {};
}

Result<> MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->begin(path));
  if (!state_->names.contains(path)) return fail(ErrorClass::kUsage, "cannot remove " + path + ": no such file");
  state_->change({path, "", nullptr});
  return {};
}

Result<> MemoryFileSystem::make_directories(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  if (state_->directories.contains(path)) return {};
  SEGUE_TRY(state_->begin(path));
  for (std::string at = path; state_->directories.insert(at).second;) at = parent_directory(at);
  return {};
}

Result<> MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->begin(path));
  if (!state_->directories.contains(path)) return fail(ErrorClass::kUsage, "cannot sync directory " + path + ": no such directory");
  std::erase_if(state_->changes, [&](const NameChange& what) {
    if (!what.touches(path)) return false;
    what.apply(state_->durable_names);
    return true;
  });
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  if (!state_->directories.contains(path)) return fail(ErrorClass::kUsage, "cannot list " + path + ": no such directory");
  std::set<std::string> names;
  for (const auto& [name, inode] : state_->names)
    if (parent_directory(name) == path) names.insert(file_name(name));
  for (const std::string& name : state_->directories)
    if (name != path && name != "." && parent_directory(name) == path) names.insert(file_name(name));
  return std::vector<std::string>(names.begin(), names.end());
}

Result<bool> MemoryFileSystem::exists(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  return state_->names.contains(path) || state_->directories.contains(path);
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  SEGUE_TRY(state_->alive());
  if (!state_->locks.insert(path).second) return fail(ErrorClass::kUsage, parent_directory(path) + " is in use by another process");
  return std::make_unique<MemoryLock>(state_, path);
}

uint64_t MemoryFileSystem::operations() const {
  const std::lock_guard guard(state_->mutex);
  return state_->operations;
}

void MemoryFileSystem::crash_after(uint64_t count) {
  const std::lock_guard guard(state_->mutex);
  state_->crash_after = count;
}

bool MemoryFileSystem::crashed() const {
  const std::lock_guard guard(state_->mutex);
  return state_->operations > state_->crash_after;
}

void MemoryFileSystem::fail_operation(uint64_t number) {
  const std::lock_guard guard(state_->mutex);
  state_->failing = number;
}

void MemoryFileSystem::limit_bytes(std::optional<uint64_t> bytes) {
  const std::lock_guard guard(state_->mutex);
  state_->limit = bytes;
}

uint64_t MemoryFileSystem::total_bytes() const {
  const std::lock_guard guard(state_->mutex);
  return state_->total();
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::crash_image(uint64_t seed) const {
  const std::lock_guard guard(state_->mutex);
  Random random(seed);
  Names names = state_->durable_names;
  for (const NameChange& what : state_->changes)
    if (seed == 1 || (seed != 0 && random() % 2 == 0)) what.apply(names);
  auto image = std::make_unique<MemoryFileSystem>();
  image->state_->directories = state_->directories;
  std::map<const Inode*, std::shared_ptr<Inode>> copies;  // an inode can survive under two names
  for (const auto& [path, inode] : names) {
    auto& copy = copies[inode.get()];
    if (copy == nullptr) {
      const std::string content = surviving_content(*inode, seed, random);
      copy = std::make_shared<Inode>(Inode{content, content, content.size(), {}});
    }
    image->state_->names[path] = copy;
  }
  image->state_->durable_names = image->state_->names;
  return image;
}

void MemoryFileSystem::put(const std::string& path, std::string_view bytes) {
  const std::lock_guard guard(state_->mutex);
  const auto inode = std::make_shared<Inode>(Inode{std::string(bytes), std::string(bytes), bytes.size(), {}});
  state_->names[path] = inode;
  state_->durable_names[path] = inode;
  for (std::string at = parent_directory(path); state_->directories.insert(at).second;) at = parent_directory(at);
}

std::optional<std::string> MemoryFileSystem::content(const std::string& path) const {
  const std::lock_guard guard(state_->mutex);
  const auto found = state_->names.find(path);
  if (found == state_->names.end()) return std::nullopt;
  return found->second->now;
}

}  // namespace segue::filelog
