// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/yaml/text.h"

namespace segue::config {

using yaml::TextPlace;

enum class NodeKind : uint8_t { kNothing, kScalar, kList, kMapping };

// One key of a mapping and what stands behind it.
struct YamlEntry {
  std::string section;  // path of the mapping; empty at the top
  std::string key;
  NodeKind kind = NodeKind::kNothing;
  std::string text;  // of a scalar
  TextPlace key_place;
  TextPlace value_place;
  bool repeated = false;  // an earlier entry of the same mapping has this key
};

struct YamlError {
  TextPlace place;
  std::string message;  // repeats nothing of the text
};

// The entries of a YAML text's only document in the order of the file; those below an entry come right after it where `descend` says so about its
// path, and are left out elsewhere. An empty document has none.
tl::expected<std::vector<YamlEntry>, YamlError> read_yaml(std::string_view text, const std::function<bool(std::string_view path)>& descend);

// The text as a YAML scalar on one line, quoted where it has to be.
std::string yaml_scalar(std::string_view text);

}  // namespace segue::config
