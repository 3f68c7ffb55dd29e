// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/responder.h"
#include "services/api/context.h"

// What instances ask each other (docs/service.md, "Between instances"): the API's own requests with these headers.
namespace segue::api {

// "0,3,5": answer for these partitions alone, with the shards that are here; ask nobody else. So no request goes more than one hop.
inline constexpr std::string_view kPartitionsHeader = "Segue-Partitions";
// Hash of the definitions that whoever asks has in mind: 503 where others are in force.
inline constexpr std::string_view kDefinitionsHeader = "Segue-Definitions";
// Of an export: the user number to go on from; in the answer the next one, absent at the end.
inline constexpr std::string_view kFromHeader = "Segue-From";
inline constexpr std::string_view kNextHeader = "Segue-Next";
// Partitions that one request names.
inline constexpr size_t kMaxReach = 500;

// Which partitions a request is about, and who may be asked for them.
struct Reach {
  std::vector<int32_t> partitions;  // ascending
  bool only_here = false;           // another instance asks
  bool is_stale = false;            // with other definitions in mind
};

// All partitions, or those that the headers name. Empty: the headers are wrong, and 400 was answered.
std::optional<Reach> reach_of(const Surroundings& around, const http::Request& request, const http::Responder& responder);

// "0,3,5": at most kMaxReach, ascending. Empty: anything else.
std::optional<std::vector<int32_t>> parse_partitions(std::string_view text);
std::string partitions_text(const std::vector<int32_t>& partitions);

}  // namespace segue::api
