// SPDX-License-Identifier: Apache-2.0
// GET /v1/audiences/sets: what an expression may name.
#include <algorithm>
#include <limits>

#include "lib/codec/json_writer.h"
#include "services/api/answers.h"
#include "services/api/audience_query.h"
#include "services/api/audience_routes.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

// Keys that one shard tells of one definition.
constexpr size_t kMaxKeys = 100'000;

struct SetsRequest {
  std::optional<size_t> kind;
  std::string contains;
  size_t limit = 0;
  std::string definitions;  // hash of those that are to be in force

  bool wants(size_t one, std::string_view name, std::string_view key) const {
    return (!kind || *kind == one) &&
           (contains.empty() || name.find(contains) != std::string_view::npos || key.find(contains) != std::string_view::npos);
  }
};

struct SetsPart : SetsAnswer {
  std::string definitions;  // hash
  size_t next = 0;          // definition
};

void count_keys(const audience::Index& index, size_t i, const segment::Definition& definition, const SetsRequest& request, SetsPart& part) {
  const size_t kind = is_tag(definition) ? 2 : 1;
  if (request.kind && *request.kind != kind) return;
  const auto keys = index.keys(i, {}, kMaxKeys);
  part.truncated |= keys.size() == kMaxKeys;
  for (const auto& key : keys) {
    const bool is_whole = definition.kind == segment::DefinitionKind::kTopTags;
    const SetId id = is_whole ? SetId{kind, key.key, ""} : SetId{kind, definition.name, key.key};
    if (request.wants(kind, std::get<1>(id), std::get<2>(id))) part.counts[id] += key.users;
  }
}

// One definition a call: one with many keys takes some milliseconds.
bool read_shard(serving::ShardReader& reader, const SetsRequest& request, SetsPart& part) {
  const auto& definitions = reader.definitions();
  const auto& index = reader.shard().audiences();
  if (part.definitions != definitions.hash()) {
    part = {};
    part.definitions = definitions.hash();
    part.clock = reader.shard().clock();
    part.users = index.count_all();
    for (size_t i = 0; i < definitions.stages().size(); ++i)
      if (request.wants(0, definitions.stage_name(i), {})) part.counts[{0, definitions.stage_name(i), ""}] = index.count_stage(i);
  }
  for (; part.next < definitions.definitions().size(); ++part.next) {
    const auto& definition = definitions.definition(part.next);
    const bool is_plain = definition.kind == segment::DefinitionKind::kSegment || definition.kind == segment::DefinitionKind::kTag;
    const size_t kind = is_tag(definition) ? 2 : 1;
    if (is_plain && request.wants(kind, definition.name, {})) part.counts[{kind, definition.name, ""}] = index.count_members(part.next);
    if (!is_plain) {
      count_keys(index, part.next++, definition, request, part);
      return part.next == definitions.definitions().size();
    }
  }
  return true;
}

http::Response sets_answer(const SetsRequest& request, const std::vector<std::optional<SetsPart>>& parts) {
  SetsPart sum;
  if (parts.empty()) return away_problem("no shard is here at the moment");
  for (const auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    // A name may have meant something else before.
    if (part->definitions != request.definitions) return definitions_change();
    if (part->clock != kNoTime) sum.clock = sum.clock == kNoTime ? part->clock : std::min(sum.clock, part->clock);
    sum.users += part->users;
    sum.truncated |= part->truncated;
    for (const auto& [id, users] : part->counts) sum.counts[id] += users;
  }
  std::vector<std::pair<SetId, uint64_t>> sorted(sum.counts.begin(), sum.counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::get<0>(a.first) != std::get<0>(b.first) ? std::get<0>(a.first) < std::get<0>(b.first) : a.second > b.second;
  });
  std::string sets;
  codec::JsonWriter list(sets);
  std::array<size_t, 3> told = {};
  list.begin_array();
  for (const auto& [id, users] : sorted) {
    const auto& [kind, name, key] = id;
    if (told[kind]++ >= request.limit) {
      sum.truncated = true;
      continue;
    }
    list.begin_object();
    list.name("kind"), list.string(set_kinds()[kind]);
    list.name("name"), list.string(name);
    if (!key.empty()) list.name("key"), list.string(key);
    list.name("expression"), list.string(set_expression(set_kinds()[kind], name, key));
    list.name("users"), list.unsigned_integer(users);
    list.end_object();
  }
  list.end_array();
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  write_time(json, "as_of", sum.clock);
  json.name("users"), json.unsigned_integer(sum.users);
  json.name("truncated"), json.boolean(sum.truncated);
  json.name("sets"), json.raw(sets);
  json.end_object();
  return json_answer(std::move(body));
}

}  // namespace

void list_sets(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  SetsRequest wanted;
  wanted.kind = query.choice("kind", set_kinds());
  wanted.contains = query.text("contains", 256).value_or("");
  wanted.limit = query.number("limit", 1, 10'000, 1000);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (reach->is_stale) return responder.send(definitions_change());
  // The largest of a part need not be the largest of all: another instance is told everything.
  if (reach->only_here) wanted.limit = std::numeric_limits<size_t>::max();
  wanted.definitions = around.definitions()->hash();
  Gathering<SetsPart>::Plan plan;
  plan.ask = [wanted](serving::ShardReader& reader, SetsPart& part) { return read_shard(reader, wanted, part); };
  plan.question = [target = "/v1/audiences/sets" + (request.query.empty() ? "" : "?" + request.query), wanted](const std::vector<int32_t>&) {
    return Neighbours::Question{.target = target, .definitions = wanted.definitions};
  };
  plan.read = [wanted](const std::vector<int32_t>&, const http::Response& answer, SetsPart& part) {
    part.definitions = wanted.definitions;  // else it had not answered
    return read_sets(answer.body, part);
  };
  plan.done = [wanted, responder](const auto& parts) { responder.send(sets_answer(wanted, parts)); };
  Gathering<SetsPart>::run(around, *reach, std::move(plan));
}

}  // namespace segue::api
