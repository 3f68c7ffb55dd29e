// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/directories.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "lib/rocks/status.h"

namespace segue::rocks {
namespace {

// One may be the cause and one the symptom; more would fill the disk.
constexpr size_t kMostDamaged = 2;

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_directory(rocksdb::Env& env, const std::string& path) {
  bool is = false;
  return env.IsDirectory(path, &is).ok() && is;
}

}  // namespace

Result<std::vector<std::string>> list_directory(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::Status status = env.GetChildren(path, &names);
  if (status.IsNotFound() || status.IsPathNotFound()) return std::vector<std::string>();
  if (!status.ok()) return tl::unexpected<Error>(error_from(status, "listing " + path));
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  std::sort(names.begin(), names.end());
  return names;
}

Result<> make_directories(rocksdb::Env& env, const std::string& root, const std::string& below) {
  std::string path = root;
  for (size_t at = 0; at < below.size();) {
    const size_t end = std::min(below.find('/', at), below.size());
    const std::string above = path;
    path += "/" + below.substr(at, end - at);
    at = end + 1;
    if (is_directory(env, path)) continue;
    SEGUE_TRY(result_from(env.CreateDirIfMissing(path), "making " + path));
    SEGUE_TRY(sync_directory(env, above));
  }
  return {};
}

Result<> sync_directory(rocksdb::Env& env, const std::string& path) {
  std::unique_ptr<rocksdb::Directory> directory;
  SEGUE_TRY(result_from(env.NewDirectory(path, &directory), "opening " + path));
  return result_from(directory->Fsync(), "syncing " + path);
}

Result<> rename_directory(rocksdb::Env& env, const std::string& from, const std::string& to) {
  SEGUE_TRY(result_from(env.RenameFile(from, to), "renaming " + from + " to " + to));
  return sync_directory(env, parent_of(to));
}

Result<> remove_tree(rocksdb::Env& env, const std::string& path) {
  const auto names = list_directory(env, path);
  if (!names) return tl::unexpected<Error>(names.error());
  if (names->empty() && !is_directory(env, path)) return {};
  for (const std::string& name : *names) {
    const std::string child = path + "/" + name;
    if (is_directory(env, child)) {
      SEGUE_TRY(remove_tree(env, child));
    } else {
      SEGUE_TRY(result_from(env.DeleteFile(child), "removing " + child));
    }
  }
  return result_from(env.DeleteDir(path), "removing " + path);
}

Result<std::string> quarantine(const std::string& path, rocksdb::Env* env) {
  rocksdb::Env& files = env != nullptr ? *env : *rocksdb::Env::Default();
  const std::string state = without_trailing_slashes(path);
  const std::string parent = parent_of(state);
  const std::string prefix = state.substr(state.rfind('/') + 1) + ".damaged-";
  const auto names = list_directory(files, parent);
  if (!names) return tl::unexpected<Error>(names.error());
  std::vector<std::pair<uint64_t, std::string>> damaged;
  for (const std::string& name : *names) {
    uint64_t number = 0;
    if (!name.starts_with(prefix)) continue;
    const char* const end = name.data() + name.size();
    if (const auto [at, error] = std::from_chars(name.data() + prefix.size(), end, number); error != std::errc() || at != end) continue;
    damaged.emplace_back(number, parent + "/" + name);
  }
  std::sort(damaged.begin(), damaged.end());
  std::string aside = parent + "/" + prefix + std::to_string(damaged.empty() ? 1 : damaged.back().first + 1);
  SEGUE_TRY(rename_directory(files, state, aside));
  for (size_t i = 0; i + kMostDamaged <= damaged.size(); ++i) SEGUE_TRY(remove_tree(files, damaged[i].second));
  return aside;
}

}  // namespace segue::rocks
