// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "lib/audience/index.h"

namespace segue::audience {

constexpr std::string_view kShopYaml = R"(
version: 1
lifecycle:
  stages: [new, buyer, lapsed]
segments:
  - {name: vip, when: spend >= 100}
  - {name: due, for: item, when: count(purchase) >= 2}
  - {name: "老客", when: orders >= 3}
tags:
  - {name: regular, when: orders >= 2}
  - {name: "cat:*", top: 3 of category}
  - {name: "brand:*!", top: 2 of brand}
)";
enum ShopDefinition : uint16_t { kVip, kDue, kOld, kRegular, kCategory, kBrand };

inline segment::Definitions parse_definitions(std::string_view yaml) {
  auto parsed = segment::Definitions::parse(yaml, "test.yaml");
  if (!parsed) ADD_FAILURE() << segment::to_string(parsed.error());
  return parsed ? std::move(*parsed) : *segment::Definitions::parse("version: 1", "empty.yaml");
}

inline const segment::Definitions& shop() {
  static const segment::Definitions definitions = parse_definitions(kShopYaml);
  return definitions;
}

inline segment::Change moved(uint8_t from, uint8_t to) { return {.kind = segment::ChangeKind::kMoved, .from = from, .to = to}; }
inline segment::Change entered(uint16_t definition, std::string key = {}) {
  return {.kind = segment::ChangeKind::kEntered, .index = definition, .key = std::move(key)};
}
inline segment::Change left(uint16_t definition, std::string key = {}) {
  return {.kind = segment::ChangeKind::kLeft, .index = definition, .key = std::move(key)};
}

// The entries that a state has of an index: what keep_slice() handed out so far.
class Entries {
 public:
  using Key = std::tuple<SetKind, uint32_t, std::string, uint16_t>;

  void freeze(Index& index) { index.freeze(); }
  // True when all is kept.
  bool keep(Index& index, size_t count) {
    return index.keep_slice(count, [&](const SetName& set, uint16_t chunk, std::string_view bytes) {
      ++handed_out;
      const Key key{set.kind, set.id, std::string(set.key), chunk};
      if (bytes.empty())
        values.erase(key);
      else
        values[key] = bytes;
    });
  }
  void checkpoint(Index& index) {
    index.freeze();
    EXPECT_TRUE(keep(index, SIZE_MAX));
  }
  Index restore(const segment::Definitions& definitions) const {
    Index index(definitions);
    for (const auto& [key, bytes] : values) {
      const auto restored = index.restore({std::get<0>(key), std::get<1>(key), std::get<2>(key)}, std::get<3>(key), bytes);
      EXPECT_TRUE(restored) << restored.error().message;
    }
    return index;
  }

  std::map<Key, std::string> values;
  size_t handed_out = 0;
};

}  // namespace segue::audience
