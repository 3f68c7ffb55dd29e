// SPDX-License-Identifier: Apache-2.0
#include "services/api/answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/codec/json_text.h"
#include "lib/event/reject_reason.h"

namespace segue::api {
namespace {

using Json = nlohmann::json;

// Members of an object; the first that is absent or of another type spoils the whole.
class Members {
 public:
  explicit Members(const Json& object) : object_(object), good_(object.is_object()) {}

  bool good() const { return good_; }
  uint64_t count(const char* name) {
    const Json* const value = find(name, [](const Json& one) { return one.is_number_unsigned(); });
    return value == nullptr ? 0 : value->get<uint64_t>();
  }
  double number(const char* name) {
    const Json* const value = find(name, [](const Json& one) { return one.is_number(); });
    return value == nullptr ? 0 : value->get<double>();
  }
  std::string text(const char* name) {
    const Json* const value = find(name, [](const Json& one) { return one.is_string(); });
    return value == nullptr ? std::string() : value->get<std::string>();
  }
  bool boolean(const char* name) {
    const Json* const value = find(name, [](const Json& one) { return one.is_boolean(); });
    return value != nullptr && value->get<bool>();
  }
  const Json& list(const char* name) {
    static const Json kNone = Json::array();
    const Json* const value = find(name, [](const Json& one) { return one.is_array(); });
    return value == nullptr ? kNone : *value;
  }
  bool has(const char* name) const { return good_ && object_.contains(name); }
  // Where it is not there, no time.
  Time time(const char* name) {
    if (!has(name)) return kNoTime;
    const Json* const value = find(name, [](const Json& one) { return one.is_number_integer(); });
    return value == nullptr ? kNoTime : time_from_ms(value->get<int64_t>());
  }
  void spoil() { good_ = false; }

 private:
  template <class Fits>
  const Json* find(const char* name, Fits fits) {
    if (!good_) return nullptr;
    const auto found = object_.find(name);
    good_ = found != object_.end() && fits(*found);
    return good_ ? &*found : nullptr;
  }

  const Json& object_;
  bool good_;
};

Json parse(std::string_view body) { return Json::parse(body, nullptr, false); }

}  // namespace

bool read_counts(std::string_view body, size_t expressions, bool overlaps, CountAnswer& answer) {
  const Json document = parse(body);
  Members members(document);
  answer.clock = members.time("as_of");
  answer.users = members.count("users");
  answer.counts.clear();
  const auto take = [&](const Json& value) {
    if (!value.is_number_unsigned()) return members.spoil();
    answer.counts.push_back(value.get<uint64_t>());
  };
  const Json& rows = members.list(overlaps ? "overlaps" : "counts");
  if (rows.size() != expressions) return false;
  for (const Json& row : rows) {
    if (!overlaps) {
      Members count(row);
      answer.counts.push_back(count.count("users"));
      if (!count.good()) return false;
      continue;
    }
    if (!row.is_array() || row.size() != expressions) return false;
    for (const Json& cell : row) take(cell);
  }
  return members.good();
}

bool read_page(std::string_view body, size_t limit, PageAnswer& answer) {
  const Json document = parse(body);
  Members members(document);
  answer.clock = members.time("as_of");
  for (const Json& id : members.list("user_ids")) {
    if (!id.is_string()) return false;
    answer.user_ids.push_back(id.get<std::string>());
  }
  if (members.has("cursor")) answer.cursor = members.text("cursor");
  return members.good() && answer.user_ids.size() <= limit;
}

const std::vector<std::string_view>& set_kinds() {
  static const std::vector<std::string_view> names = {"stage", "segment", "tag"};
  return names;
}

bool read_sets(std::string_view body, SetsAnswer& answer) {
  const Json document = parse(body);
  Members members(document);
  answer.clock = members.time("as_of");
  answer.users = members.count("users");
  answer.truncated = members.boolean("truncated");
  for (const Json& one : members.list("sets")) {
    Members set(one);
    const std::string kind = set.text("kind");
    const auto found = std::find(set_kinds().begin(), set_kinds().end(), kind);
    SetId id{found - set_kinds().begin(), set.text("name"), set.has("key") ? set.text("key") : ""};
    answer.counts[std::move(id)] += set.count("users");
    if (!set.good() || found == set_kinds().end()) return false;
  }
  return members.good();
}

bool read_lifecycle(std::string_view body, LifecycleAnswer& answer) {
  const Json document = parse(body);
  Members members(document);
  answer.clock = members.time("as_of");
  answer.users = members.count("users");
  answer.definitions = members.text("definitions");
  answer.time_zone = members.text("time_zone");
  for (const Json& one : members.list("stages")) {
    Members stage(one);
    answer.stages.push_back({stage.text("name"), stage.count("users")});
    if (!stage.good()) return false;
  }
  for (const Json& one : members.list("moves")) {
    Members move(one);
    answer.moves.push_back({move.text("name"), move.text("from"), move.text("to"), move.count("total")});
    if (!move.good()) return false;
  }
  return members.good();
}

bool read_reject_totals(std::string_view body, std::vector<uint64_t>& totals) {
  const Json document = parse(body);
  Members members(document);
  totals.assign(event::kRejectReasons, 0);
  for (const Json& one : members.list("reasons")) {
    Members reason(one);
    const std::string name = reason.text("reason");
    const auto found = std::find(event::kRejectReasonNames.begin(), event::kRejectReasonNames.end(), name);
    const uint64_t total = reason.count("total");
    if (!reason.good()) return false;
    if (found != event::kRejectReasonNames.end()) totals[static_cast<size_t>(found - event::kRejectReasonNames.begin())] += total;
  }
  return members.good();
}

bool read_status(std::string_view body, StatusAnswer& answer) {
  const Json document = parse(body);
  Members members(document);
  for (const Json& one : members.list("partitions")) {
    Members partition(one);
    const uint64_t number = partition.count("partition");
    answer.sweep_left += partition.count("sweep_left");
    if (!partition.good() || number > INT32_MAX) return false;
    answer.partitions.emplace_back(static_cast<int32_t>(number), one.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return members.good();
}

bool read_vector(std::string_view body, size_t values, Time& clock, std::vector<float>& vector) {
  const Json document = parse(body);
  Members members(document);
  clock = members.time("as_of");
  const Json& numbers = members.list("vector");
  if (!members.good() || numbers.size() != values) return false;
  vector.clear();
  for (const Json& number : numbers) {
    if (!number.is_number()) return false;
    vector.push_back(number.get<float>());
  }
  return true;
}

bool read_similar(std::string_view body, size_t limit, Time& clock, std::vector<std::pair<double, std::string>>& users) {
  const Json document = parse(body);
  Members members(document);
  clock = members.time("as_of");
  for (const Json& one : members.list("users")) {
    Members user(one);
    const double similarity = user.number("similarity");
    users.emplace_back(similarity, user.text("user_id"));
    if (!user.good()) return false;
  }
  return members.good() && users.size() <= limit;
}

bool read_lines(std::string_view body, size_t users, std::vector<std::string>& profiles) {
  profiles.clear();
  while (!body.empty()) {
    const size_t end = body.find('\n');
    if (end == std::string_view::npos || profiles.size() == users) return false;
    const std::string_view line = body.substr(0, end);
    if (!line.empty() && (line.front() != '{' || line.back() != '}' || !codec::is_utf8(line))) return false;
    profiles.emplace_back(line);
    body.remove_prefix(end + 1);
  }
  return profiles.size() == users;
}

}  // namespace segue::api
