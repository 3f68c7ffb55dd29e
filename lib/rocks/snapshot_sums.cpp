// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshot_sums.h"

#include <algorithm>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "lib/rocks/directories.h"
#include "lib/rocks/snapshot_generation.h"

namespace segue::rocks {
namespace {

std::string lists_of(const std::string& generation) { return generation + "/meta"; }
std::string sums_of(const std::string& generation) { return generation + "/sums"; }

// An absent file is empty.
Result<std::string> read_small(rocksdb::Env& env, const std::string& path) {
  std::string bytes;
  const rocksdb::Status status = rocksdb::ReadFileToString(&env, path, &bytes);
  if (status.IsNotFound() || status.IsPathNotFound()) return std::string();
  SEGUE_TRY(volume_result(status, "reading " + path));
  return bytes;
}

std::string sum_of(const std::string& list) {
  std::string bytes;
  ByteWriter(bytes).fixed(hash64(list));
  return bytes;
}

}  // namespace

Result<CheckedLists> check_lists(rocksdb::Env& env, const std::string& generation) {
  const auto names = list_directory(env, lists_of(generation));
  if (!names) return tl::unexpected<Error>(names.error());
  CheckedLists checked;
  for (const std::string& name : *names) {
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;  // N.tmp: being written, or left
    const auto sum = read_small(env, sums_of(generation) + "/" + name);
    if (!sum) return tl::unexpected<Error>(sum.error());
    const auto list = read_small(env, lists_of(generation) + "/" + name);
    if (!list) return tl::unexpected<Error>(list.error());
    if (*sum == sum_of(*list)) {
      checked.good.insert(name);
    } else {
      checked.bad.emplace_back(name, sum->empty() ? "not finished" : "damaged: its list of files");
    }
  }
  return checked;
}

Result<> write_sum(rocksdb::Env& env, const std::string& generation, uint32_t number) {
  const std::string name = std::to_string(number);
  const auto list = read_small(env, lists_of(generation) + "/" + name);
  if (!list) return tl::unexpected<Error>(list.error());
  SEGUE_TRY(make_directories(env, generation, "sums"));
  const std::string path = sums_of(generation) + "/" + name;
  SEGUE_TRY(volume_result(rocksdb::WriteStringToFile(&env, sum_of(*list), path + ".new", true), "writing " + path));
  SEGUE_TRY(volume_result(env.RenameFile(path + ".new", path), "renaming " + path));
  return sync_directory(env, sums_of(generation));
}

Result<> remove_bad_lists(rocksdb::Env& env, const std::string& generation) {
  const auto checked = check_lists(env, generation);
  if (!checked) return tl::unexpected<Error>(checked.error());
  const auto sums = list_directory(env, sums_of(generation));
  if (!sums) return tl::unexpected<Error>(sums.error());
  // Sums first: a number may be given again, and a list must never meet the sum of another.
  for (const std::string& name : *sums) {
    const std::string path = sums_of(generation) + "/" + name;
    if (!checked->good.contains(name)) SEGUE_TRY(volume_result(env.DeleteFile(path), "removing " + path));
  }
  if (!checked->bad.empty()) SEGUE_TRY(make_directories(env, generation, "sums"));
  if (!checked->bad.empty()) SEGUE_TRY(sync_directory(env, sums_of(generation)));
  for (const auto& [name, why] : checked->bad) {
    const std::string path = lists_of(generation) + "/" + name;
    SEGUE_TRY(volume_result(env.DeleteFile(path), "removing " + path));
  }
  return {};
}

GoodLists::GoodLists(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& generation, std::set<std::string> good)
    : FileSystemWrapper(files), directory_(lists_of(generation)), good_(std::move(good)) {}

rocksdb::IOStatus GoodLists::GetChildren(const std::string& directory, const rocksdb::IOOptions& options, std::vector<std::string>* names,
                                         rocksdb::IODebugContext* debug) {
  const rocksdb::IOStatus status = target()->GetChildren(directory, options, names, debug);
  if (status.ok() && directory == directory_) std::erase_if(*names, [&](const std::string& name) { return !good_.contains(name); });
  return status;
}

}  // namespace segue::rocks
