// SPDX-License-Identifier: Apache-2.0
#include "services/api/reach.h"

#include <charconv>
#include <numeric>

#include "services/api/problem.h"

namespace segue::api {

std::optional<std::vector<int32_t>> parse_partitions(std::string_view text) {
  std::vector<int32_t> partitions;
  for (;;) {
    int32_t partition = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
    if (error != std::errc() || partition < 0 || (!partitions.empty() && partition <= partitions.back())) return {};
    partitions.push_back(partition);
    text.remove_prefix(static_cast<size_t>(stop - text.data()));
    if (text.empty()) return partitions;
    if (text.front() != ',' || partitions.size() == kMaxReach) return {};
    text.remove_prefix(1);
  }
}

std::string partitions_text(const std::vector<int32_t>& partitions) {
  std::string text;
  for (const int32_t partition : partitions) text.append(text.empty() ? "" : ",").append(std::to_string(partition));
  return text;
}

std::optional<Reach> reach_of(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  Reach reach;
  const auto named = request.find_header(kPartitionsHeader);
  if (!named) {
    reach.partitions.resize(around.directory.partitions());
    std::iota(reach.partitions.begin(), reach.partitions.end(), 0);
    return reach;
  }
  auto partitions = parse_partitions(*named);
  if (!partitions) {
    responder.send(http::problem(400, "the header Segue-Partitions is not a list of partitions"));
    return {};
  }
  reach.partitions = std::move(*partitions);
  reach.only_here = true;
  const auto definitions = request.find_header(kDefinitionsHeader);
  reach.is_stale = definitions && *definitions != around.definitions()->hash();
  return reach;
}

}  // namespace segue::api
