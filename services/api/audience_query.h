// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/audience/expression.h"
#include "lib/serving/shard_reader.h"
#include "services/api/problem.h"

namespace segue::api {

// Expressions of one request, with their names found in the definitions that are to be in force.
class AudienceQuery {
 public:
  // Appends what is wrong; `at` is the JSON pointer of each.
  static std::shared_ptr<const AudienceQuery> make(const std::vector<std::string>& texts, const segment::Definitions& definitions,
                                                   const std::vector<std::string>& at, Mistakes& mistakes);

  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<audience::Expression>& expressions() const { return expressions_; }
  // Hash of those that the names were found in.
  const std::string& definitions() const { return definitions_; }
  // Whether the names mean the same in the shard: false while new definitions come into force.
  bool fits(const serving::ShardReader& reader) const { return reader.definitions().hash() == definitions_; }
  // Of texts and definitions.
  uint64_t fingerprint() const;

 private:
  std::vector<std::string> texts_;
  std::vector<audience::Expression> expressions_;
  std::string definitions_;  // hash
};

// `stage:lapsed`, `tag:"cat:女装"`, `segment:due-again["女装"]`.
std::string set_expression(std::string_view kind, std::string_view name, std::string_view key);

}  // namespace segue::api
