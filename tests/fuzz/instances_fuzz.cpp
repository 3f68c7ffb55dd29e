// SPDX-License-Identifier: Apache-2.0
// Any bytes are the record of an instance that is written as it was read, or none; an answer of another instance, or none.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/codec/instance_record.h"
#include "services/api/answers.h"
#include "services/api/reach.h"

namespace {

using namespace segue;

void check_answers(std::string_view text) {
  for (const bool overlaps : {false, true}) {
    api::CountAnswer counts;
    if (api::read_counts(text, 2, overlaps, counts)) SEGUE_ASSERT(counts.counts.size() == (overlaps ? 4 : 2));
  }
  api::PageAnswer page;
  if (api::read_page(text, 3, page)) SEGUE_ASSERT(page.user_ids.size() <= 3);
  api::SetsAnswer sets;
  if (api::read_sets(text, sets))
    for (const auto& [id, users] : sets.counts) SEGUE_ASSERT(std::get<0>(id) < api::set_kinds().size());
  api::LifecycleAnswer lifecycle;
  api::read_lifecycle(text, lifecycle);
  api::StatusAnswer status;
  if (api::read_status(text, status))
    for (const auto& [number, partition] : status.partitions) SEGUE_ASSERT(number >= 0 && nlohmann::json::accept(partition));
  std::vector<uint64_t> totals;
  api::read_reject_totals(text, totals);
  Time clock = kNoTime;
  std::vector<float> vector;
  if (api::read_vector(text, 2, clock, vector)) SEGUE_ASSERT(vector.size() == 2);
  std::vector<std::pair<double, std::string>> similar;
  if (api::read_similar(text, 2, clock, similar)) SEGUE_ASSERT(similar.size() <= 2);
  std::vector<std::string> lines;
  if (api::read_lines(text, 2, lines)) SEGUE_ASSERT(lines.size() == 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto record = codec::parse_instance_record(text)) SEGUE_ASSERT(*codec::parse_instance_record(codec::to_json(*record)) == *record);
  if (const auto partitions = api::parse_partitions(text)) {
    SEGUE_ASSERT(!partitions->empty() && partitions->size() <= api::kMaxReach);
    SEGUE_ASSERT(api::parse_partitions(api::partitions_text(*partitions)) == partitions);
  }
  check_answers(text);
  return 0;
}
