// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_identity.h"

#include <charconv>

#include "lib/base/hash.h"
#include "lib/filelog/log_source.h"

namespace segue::filelog {
namespace {

constexpr std::string_view kFirstLine = "segue-log 1\n";

Result<std::string> read_head(FileSystem& files, const std::string& path, uint64_t bytes) {
  auto source = open_log_source(files, path);
  if (!source) return tl::unexpected(std::move(source).error());
  std::string head(bytes, '\0');
  auto got = (*source)->read(head);
  if (!got) return tl::unexpected(std::move(got).error());
  head.resize(*got);
  return head;
}

Result<uint64_t> file_size(FileSystem& files, const std::string& path) {
  auto file = files.open_to_read(path);
  if (!file) return tl::unexpected(std::move(file).error());
  return (*file)->size();
}

std::string hex(uint64_t word) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, word >>= 4) *at = kDigits[word & 15];
  return text;
}

// Takes a number and the space behind it off the line.
bool take_number(std::string_view& line, uint64_t& number, int base) {
  const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  const auto taken = static_cast<size_t>(end - line.data());
  if (code != std::errc{} || taken == line.size() || *end != ' ') return false;
  line.remove_prefix(taken + 1);
  return true;
}

tl::unexpected<Error> other_log(const std::string& what) {
  return fail(ErrorClass::kUsage, "this is not the log that the output directory was made from: " + what);
}

}  // namespace

Result<LogIdentity> identify_log(FileSystem& files, const std::vector<std::string>& paths) {
  LogIdentity identity;
  for (const std::string& path : paths) {
    LogFileIdentity file;
    file.name = file_name(path);
    if (file.name.find('\n') != std::string::npos) return fail(ErrorClass::kUsage, "a log file's name holds a line break: " + path);
    const auto size = file_size(files, path);
    if (!size) return tl::unexpected(size.error());
    const auto head = read_head(files, path, kHeadBytes);
    if (!head) return tl::unexpected(head.error());
    file.size = *size;
    file.head_bytes = head->size();
    file.head_hash = hash64(*head);
    identity.push_back(std::move(file));
  }
  return identity;
}

Result<> check_same_log(FileSystem& files, const LogIdentity& before, const std::vector<std::string>& paths, LogKind kind) {
  if (paths.size() < before.size()) {
    return other_log("it had " + std::to_string(before.size()) + " files, now " + std::to_string(paths.size()));
  }
  for (size_t i = 0; i < before.size(); ++i) {
    const LogFileIdentity& known = before[i];
    const std::string& path = paths[i];
    if (file_name(path) != known.name)
      return other_log("its file " + std::to_string(i + 1) + " was named " + known.name + ", now " + file_name(path));
    const auto size = file_size(files, path);
    if (!size) return tl::unexpected(size.error());
    const bool may_grow = kind == LogKind::kPartitions || i + 1 == before.size();
    if (*size < known.size || (!may_grow && *size != known.size)) {
      return other_log(path + " had " + std::to_string(known.size) + " bytes, now " + std::to_string(*size));
    }
    const auto head = read_head(files, path, known.head_bytes);
    if (!head) return tl::unexpected(head.error());
    if (head->size() != known.head_bytes || hash64(*head) != known.head_hash) return other_log(path + " begins differently");
  }
  return {};
}

std::string to_text(const LogIdentity& identity) {
  std::string text(kFirstLine);
  for (const LogFileIdentity& file : identity) {
    text += std::to_string(file.size) + " " + std::to_string(file.head_bytes) + " " + hex(file.head_hash) + " " + file.name + "\n";
  }
  return text;
}

Result<LogIdentity> parse_log_identity(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return fail(ErrorClass::kData, "LOG does not begin with \"segue-log 1\"");
  text.remove_prefix(kFirstLine.size());
  LogIdentity identity;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    LogFileIdentity file;
    const bool numbers = take_number(line, file.size, 10) && take_number(line, file.head_bytes, 10) && take_number(line, file.head_hash, 16);
    if (newline == std::string_view::npos || !numbers || line.empty() || file.head_bytes > kHeadBytes) {
      return fail(ErrorClass::kData, "LOG is damaged in line " + std::to_string(identity.size() + 2));
    }
    file.name = line;
    identity.push_back(std::move(file));
    text.remove_prefix(newline + 1);
  }
  return identity;
}

Result<> bind_log(FileSystem& files, const std::string& directory, const std::vector<std::string>& paths, LogKind kind) {
  const std::string path = directory + "/LOG";
  const auto exists = files.exists(path);
  if (!exists) return tl::unexpected(exists.error());
  std::string written;
  if (*exists) {
    auto text = read_file(files, path);
    if (!text) return tl::unexpected(std::move(text).error());
    written = std::move(*text);
    const auto before = parse_log_identity(written);
    if (!before) return fail(before.error().kind, directory + "/" + before.error().message);
    SEGUE_TRY(check_same_log(files, *before, paths, kind));
  }
  const auto now = identify_log(files, paths);
  if (!now) return tl::unexpected(now.error());
  const std::string text = to_text(*now);
  if (text == written) return {};
  return write_file_atomically(files, path, text);
}

}  // namespace segue::filelog
