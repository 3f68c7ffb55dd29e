// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/time.h"

// What other instances answered, as docs/api.md has it: false where it is not what it should be.
namespace segue::api {

// POST /v1/audiences/count.
struct CountAnswer {
  Time clock = kNoTime;
  uint64_t users = 0;
  std::vector<uint64_t> counts;  // by expression, or with overlaps by pair of them
};
bool read_counts(std::string_view body, size_t expressions, bool overlaps, CountAnswer& answer);

// POST /v1/audiences/users.
struct PageAnswer {
  Time clock = kNoTime;
  std::vector<std::string> user_ids;
  std::optional<std::string> cursor;
};
bool read_page(std::string_view body, size_t limit, PageAnswer& answer);

// GET /v1/audiences/sets. Kind (index into set_kinds()), name and key.
using SetId = std::tuple<size_t, std::string, std::string>;
const std::vector<std::string_view>& set_kinds();
struct SetsAnswer {
  Time clock = kNoTime;
  uint64_t users = 0;
  bool truncated = false;
  std::map<SetId, uint64_t> counts;
};
bool read_sets(std::string_view body, SetsAnswer& answer);

// GET /v1/lifecycle.
struct LifecycleAnswer {
  struct Stage {
    std::string name;
    uint64_t users = 0;
  };
  struct Move {
    std::string name;
    std::string from;
    std::string to;
    uint64_t total = 0;
  };
  Time clock = kNoTime;
  uint64_t users = 0;
  std::string definitions;  // hash
  std::string time_zone;
  std::vector<Stage> stages;
  std::vector<Move> moves;
};
bool read_lifecycle(std::string_view body, LifecycleAnswer& answer);

// GET /v1/dead-letters: totals by reason (event::RejectReason). A reason that is not known here is not counted.
bool read_reject_totals(std::string_view body, std::vector<uint64_t>& totals);

// GET /v1/status: the partitions, each as the JSON object that it is, and their sweep_left together.
struct StatusAnswer {
  std::vector<std::pair<int32_t, std::string>> partitions;
  uint64_t sweep_left = 0;
};
bool read_status(std::string_view body, StatusAnswer& answer);

// GET /v1/profiles/{user_id}?include=vector: `values` of them.
bool read_vector(std::string_view body, size_t values, Time& clock, std::vector<float>& vector);

// POST /v1/similar: users with their similarities.
bool read_similar(std::string_view body, size_t limit, Time& clock, std::vector<std::pair<double, std::string>>& users);

// POST /v1/profiles/lookup between instances: a line for each user, empty for one who is not there.
bool read_lines(std::string_view body, size_t users, std::vector<std::string>& profiles);

}  // namespace segue::api
