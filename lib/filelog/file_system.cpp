// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/file_system.h"

namespace segue::filelog {

std::string parent_directory(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string file_name(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<std::string> read_file(FileSystem& files, const std::string& path) {
  auto file = files.open_to_read(path);
  if (!file) return tl::unexpected(std::move(file).error());
  auto size = (*file)->size();
  if (!size) return tl::unexpected(std::move(size).error());
  std::string bytes(*size, '\0');
  auto got = (*file)->read_at(0, bytes);
  if (!got) return tl::unexpected(std::move(got).error());
  bytes.resize(*got);
  return bytes;
}

Result<> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string unfinished = path + ".unfinished";
  auto file = files.open_to_append(unfinished);
  if (!file) return tl::unexpected(std::move(file).error());
  SEGUE_TRY((*file)->truncate(0));  // what an earlier crash left
  SEGUE_TRY((*file)->append(bytes));
  SEGUE_TRY((*file)->sync());
  SEGUE_TRY(files.rename(unfinished, path));
  return files.sync_directory(parent_directory(path));
}

Result<std::unique_ptr<FileLock>> lock_directory(FileSystem& files, const std::string& directory) {
  SEGUE_TRY(files.make_directories(directory));
  return files.lock(directory + "/LOCK");
}

}  // namespace segue::filelog
