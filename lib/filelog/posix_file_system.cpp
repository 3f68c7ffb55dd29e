// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace segue::filelog {
namespace {

tl::unexpected<Error> system_error(const char* doing, const std::string& path, int code) {
  const std::string reason = std::generic_category().message(code);
  if (code == ENOSPC || code == EDQUOT) return fail(ErrorClass::kRetry, "disk full: cannot " + std::string(doing) + " " + path + ": " + reason);
  const bool wrong_path = code == ENOENT || code == EACCES || code == EPERM || code == ENOTDIR || code == EISDIR || code == EROFS || code == EEXIST;
  return fail(wrong_path ? ErrorClass::kUsage : ErrorClass::kStop, "cannot " + std::string(doing) + " " + path + ": " + reason);
}

// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  const int number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (number < 0) return system_error("open", path, errno);
  return Descriptor(number);
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = uninterrupted([&] { return ::write(descriptor_.number(), bytes.data(), bytes.size()); });
      if (written < 0) return system_error("write", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const override {
    size_t filled = 0;
    while (filled < buffer.size()) {
      const auto at = static_cast<off_t>(offset + filled);
      const ssize_t got = uninterrupted([&] { return ::pread(descriptor_.number(), buffer.data() + filled, buffer.size() - filled, at); });
      if (got < 0) return system_error("read", path_, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

  Result<> sync() override {
    if (uninterrupted([&] { return ::fdatasync(descriptor_.number()); }) != 0) return system_error("sync", path_, errno);
    return {};
  }

  Result<uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_.number(), &status) != 0) return system_error("read the size of", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

  Result<> truncate(uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size)); }) != 0) return system_error("cut", path_, errno);
    return {};
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;  // closing it gives the lock up
};

Result<std::unique_ptr<File>> open_file(const std::string& path, int flags) {
  auto descriptor = open_descriptor(path, flags);
  if (!descriptor) return tl::unexpected(std::move(descriptor).error());
  struct stat status {};
  if (::fstat(descriptor->number(), &status) != 0) return system_error("open", path, errno);
  if (S_ISDIR(status.st_mode)) return system_error("open", path, EISDIR);
  return std::make_unique<PosixFile>(std::move(*descriptor), path);
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open_to_read(const std::string& path) { return open_file(path, O_RDONLY); }

Result<std::unique_ptr<File>> PosixFileSystem::open_to_append(const std::string& path) { return open_file(path, O_RDWR | O_APPEND | O_CREAT); }

Result<> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
  return {};
}

Result<> PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return system_error("remove", path, errno);
  return {};
}

Result<> PosixFileSystem::make_directories(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return system_error("make directory", path, ENOTDIR);
  }
  const std::string parent = parent_directory(path);
  if (path.back() == '/') return make_directories(parent);
  SEGUE_TRY(make_directories(parent));
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("make directory", path, errno);
  return sync_directory(parent);
}

Result<> PosixFileSystem::sync_directory(const std::string& path) {
  auto descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!descriptor) return tl::unexpected(std::move(descriptor).error());
  if (uninterrupted([&] { return ::fsync(descriptor->number()); }) != 0) return system_error("sync directory", path, errno);
  return {};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return system_error("list", path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int code = errno;
  ::closedir(directory);
  if (code != 0) return system_error("list", path, code);
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> PosixFileSystem::exists(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return system_error("look for", path, errno);
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  auto descriptor = open_descriptor(path, O_RDWR | O_CREAT);
  if (!descriptor) return tl::unexpected(std::move(descriptor).error());
  if (uninterrupted([&] { return ::flock(descriptor->number(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return system_error("lock", path, errno);
    char holder[24] = {};
    const ssize_t got = ::pread(descriptor->number(), holder, sizeof holder - 1, 0);
    std::string process = got > 0 ? "process " + std::string(holder, static_cast<size_t>(got)) : "another process";
    if (process.back() == '\n') process.pop_back();
    return fail(ErrorClass::kUsage, parent_directory(path) + " is in use by " + process);
  }
  // The id only makes the message above better, so a full disk does not matter here.
  const std::string id = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor->number(), 0) == 0) [[maybe_unused]]
    const ssize_t ignored = ::pwrite(descriptor->number(), id.data(), id.size(), 0);
  return std::make_unique<PosixLock>(std::move(*descriptor));
}

}  // namespace segue::filelog
