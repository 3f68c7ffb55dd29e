// SPDX-License-Identifier: Apache-2.0
#include "lib/pipeline/store_contents.h"

#include <vector>

namespace segue::pipeline {
namespace {

// Entries compared at a time.
constexpr size_t kSlice = 1024;

}  // namespace

Result<std::optional<std::string>> load_value(Store& store, std::string_view key) {
  std::optional<std::string> found;
  SEGUE_TRY(store.load({&key, 1}, [&](size_t, std::optional<std::string_view> value) {
    if (value) found = std::string(*value);
  }));
  return found;
}

Result<std::optional<codec::ShardMeta>> load_meta(Store& store) {
  const auto bytes = load_value(store, codec::kMetaKey);
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  if (!*bytes) return std::optional<codec::ShardMeta>();
  auto meta = codec::decode_shard_meta(**bytes);
  if (!meta) return tl::unexpected<Error>(std::move(meta.error()));
  return std::optional(std::move(*meta));
}

Result<uint64_t> compare_entries(Store& state, Store& made, std::string_view prefix, const std::string& what) {
  uint64_t count = 0, others = 0;
  std::vector<std::string> keys, values;
  const auto compare_slice = [&]() -> Result<> {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    Result<> same;
    SEGUE_TRY(made.load(views, [&](size_t i, std::optional<std::string_view> value) {
      if (!same || (value && *value == values[i])) return;
      const auto user = codec::user_of_page_key(keys[i]);
      same = fail(ErrorClass::kData, what + (user ? " of user " + std::string(*user) : std::string()) +
                                         (value ? " has other bytes than the log gives" : " is not what the log gives: it should not be there"));
    }));
    count += keys.size();
    keys.clear();
    values.clear();
    return same;
  };
  SEGUE_TRY(state.scan(prefix, [&](std::string_view key, std::string_view value) -> Result<> {
    keys.emplace_back(key);
    values.emplace_back(value);
    return keys.size() < kSlice ? Result<>() : compare_slice();
  }));
  SEGUE_TRY(compare_slice());
  SEGUE_TRY(made.scan(prefix, [&](std::string_view, std::string_view) -> Result<> {
    ++others;
    return {};
  }));
  if (others != count)
    return fail(ErrorClass::kData, "the log gives " + std::to_string(others) + " of " + what + ", the state has " + std::to_string(count));
  return count;
}

}  // namespace segue::pipeline
