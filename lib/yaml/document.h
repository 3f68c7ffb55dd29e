// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace segue::yaml {

// Where a node begins in its text; 0 where that is not known.
size_t offset_of(const YAML::Mark& mark);

struct YamlFault {
  size_t offset = 0;
  std::string message;  // repeats nothing of the text
};

// The only document of a text of up to 1 MiB; a null node when the text is empty. `what` names the text in messages, as in "the definitions".
tl::expected<YAML::Node, YamlFault> load_document(std::string_view text, std::string_view what);

}  // namespace segue::yaml
