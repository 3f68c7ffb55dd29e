// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lib/base/arena.h"
#include "lib/codec/page_codec.h"
#include "services/segue/commands.h"
#include "services/segue/console.h"
#include "services/segue/state_reader.h"
#include "services/tools/profile_view.h"

namespace segue::program {
namespace {

// Pages read and printed at a time.
constexpr size_t kSlice = 2048;

struct UserPlace {
  std::string_view id;  // in the arena
  uint32_t shard = 0;
};

// All user ids, sorted by their bytes: keys are in the order of key groups. 24 bytes a user and the id.
Result<std::vector<UserPlace>> sorted_users(StateReader& reader, Arena& arena) {
  std::vector<UserPlace> users;
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    if (reader.store(shard) == nullptr) continue;
    SEGUE_TRY(reader.store(shard)->scan(codec::kPagePrefix, [&](std::string_view key, std::string_view) -> Result<> {
      const auto id = codec::user_of_page_key(key);
      if (!id) return fail(ErrorClass::kData, "a page's key is malformed");
      users.push_back({arena.copy(*id), static_cast<uint32_t>(shard)});
      return {};
    }));
  }
  std::sort(users.begin(), users.end(), [](const UserPlace& a, const UserPlace& b) { return a.id != b.id ? a.id < b.id : a.shard < b.shard; });
  return users;
}

// The pages of users[begin, end), which are of any shard, as lines in that order.
Result<> print_slice(StateReader& reader, std::span<const UserPlace> users, std::vector<std::string>& lines, bool& reading) {
  lines.assign(users.size(), {});
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    std::vector<size_t> places;
    std::vector<std::string> keys;
    for (size_t i = 0; i < users.size(); ++i) {
      if (users[i].shard != shard) continue;
      places.push_back(i);
      codec::make_page_key(users[i].id, keys.emplace_back());
    }
    if (places.empty()) continue;
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    Result<> decoded;
    profile::Profile profile;
    SEGUE_TRY(reader.store(shard)->load(views, [&](size_t i, std::optional<std::string_view> page) {
      if (!decoded) return;
      const auto& user = users[places[i]];
      decoded = page ? codec::decode_page(*page, reader.definitions().plan(), profile) : Result<>(fail(ErrorClass::kData, "a page has gone"));
      if (!decoded) {
        decoded = fail(ErrorClass::kData, "page of user " + std::string(user.id) + ": " + decoded.error().message);
        return;
      }
      tools::append_profile_line(user.id, profile, reader.definitions(), lines[places[i]]);
    }));
    SEGUE_TRY(decoded);
  }
  std::string text;
  for (const std::string& line : lines) text.append(line).push_back('\n');
  reading = print(text);
  return {};
}

Result<> dump(StateReader& reader) {
  Arena arena;
  const auto users = sorted_users(reader, arena);
  if (!users) return tl::unexpected<Error>(users.error());
  std::vector<std::string> lines;
  bool reading = true;
  for (size_t begin = 0; begin < users->size() && reading; begin += kSlice) {
    const auto slice = std::span(*users).subspan(begin, std::min(kSlice, users->size() - begin));
    SEGUE_TRY(print_slice(reader, slice, lines, reading));
  }
  return {};
}

}  // namespace

int run_dump(const std::string& directory) {
  auto reader = StateReader::open(directory);
  if (!reader) return complain_about(reader.error());
  const auto dumped = dump(**reader);
  return dumped ? static_cast<int>(kOk) : complain_about(dumped.error());
}

}  // namespace segue::program
