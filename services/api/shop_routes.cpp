// SPDX-License-Identifier: Apache-2.0
#include "services/api/shop_routes.h"

#include <algorithm>
#include <numeric>

#include "lib/codec/json_writer.h"
#include "lib/event/reject_reason.h"
#include "services/api/dead_letters.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

using codec::JsonWriter;
using http::Request;
using http::Responder;
using http::Response;

std::vector<int32_t> all_partitions(const Surroundings& around) {
  std::vector<int32_t> partitions(around.directory.partitions());
  std::iota(partitions.begin(), partitions.end(), 0);
  return partitions;
}

// ---- lifecycle

struct LifecyclePart {
  Time clock = kNoTime;
  uint64_t users = 0;
  std::vector<uint64_t> population;
  std::vector<uint64_t> moves;
  Surroundings::Definitions definitions;
};

bool read_lifecycle(serving::ShardReader& reader, LifecyclePart& part) {
  const auto& shard = reader.shard();
  part = {shard.clock(), shard.users(), shard.population(), shard.totals().moves, reader.shared_definitions()};
  return true;
}

void add(std::vector<uint64_t>& sum, const std::vector<uint64_t>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
}

Response lifecycle_answer(const std::vector<std::optional<LifecyclePart>>& parts) {
  LifecyclePart sum;
  for (const auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    if (sum.definitions && sum.definitions->hash() != part->definitions->hash()) return away_problem("new definitions are coming into force");
    sum.definitions = part->definitions;
    // A shard without events has no clock, and holds nobody back.
    if (part->clock != kNoTime) sum.clock = sum.clock == kNoTime ? part->clock : std::min(sum.clock, part->clock);
    sum.users += part->users;
    add(sum.population, part->population);
    add(sum.moves, part->moves);
  }
  if (!sum.definitions) return away_problem("no shard is here at the moment");
  const auto& definitions = *sum.definitions;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_time(json, "as_of", sum.clock);
  json.name("users"), json.unsigned_integer(sum.users);
  json.name("definitions"), json.string(definitions.hash());
  json.name("time_zone"), json.string(definitions.time_zone());
  json.name("stages"), json.begin_array();
  for (size_t i = 0; i < definitions.stages().size(); ++i) {
    json.begin_object();
    json.name("name"), json.string(definitions.stage_name(i));
    json.name("users"), json.unsigned_integer(i < sum.population.size() ? sum.population[i] : 0);
    json.end_object();
  }
  json.end_array();
  json.name("moves"), json.begin_array();
  for (size_t i = 0; i < definitions.moves().size(); ++i) {
    const auto& move = definitions.move(i);
    json.begin_object();
    json.name("name"), json.string(move.name);
    json.name("from"), json.string(definitions.stage_name(move.from));
    json.name("to"), json.string(definitions.stage_name(move.to));
    json.name("total"), json.unsigned_integer(i < sum.moves.size() ? sum.moves[i] : 0);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void get_lifecycle(const Surroundings& around, const Responder& responder) {
  auto partitions = all_partitions(around);
  std::vector<LifecyclePart> parts(partitions.size());
  Gathering<LifecyclePart>::run(around.directory, partitions, std::move(parts), read_lifecycle,
                                [responder](const auto& answered) { responder.send(lifecycle_answer(answered)); });
}

// ---- dead letters

constexpr std::string_view kUnknownReason;

std::vector<std::string_view> reasons() { return {event::kRejectReasonNames.begin(), event::kRejectReasonNames.end()}; }

Response dead_letter_answer(const Surroundings& around, const std::vector<std::optional<std::vector<uint64_t>>>& parts, size_t limit,
                            std::string_view reason) {
  std::vector<uint64_t> totals(event::kRejectReasons);
  std::vector<std::vector<std::string>> newest;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]) return away_problem("a shard is not here at the moment");
    add(totals, *parts[i]);
    if (!around.dead_letters) continue;
    auto lines = around.dead_letters(static_cast<int32_t>(i), limit, reason);
    if (!lines) return error_problem(lines.error());
    newest.push_back(std::move(*lines));
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("total"), json.unsigned_integer(std::accumulate(totals.begin(), totals.end(), uint64_t{0}));
  json.name("reasons"), json.begin_array();
  for (size_t i = 0; i < totals.size(); ++i) {
    if (totals[i] == 0) continue;
    json.begin_object();
    json.name("reason"), json.string(event::kRejectReasonNames[i]);
    json.name("total"), json.unsigned_integer(totals[i]);
    json.end_object();
  }
  json.end_array();
  json.name("newest"), json.begin_array();
  // The last of each partition in turn: there is no order between partitions.
  size_t told = 0;
  for (size_t back = 1; told < limit; ++back) {
    const size_t before = told;
    for (const auto& lines : newest) {
      std::string shown;
      if (back > lines.size() || told == limit) continue;
      ++told;
      if (append_shown(lines[lines.size() - back], shown)) json.raw(shown);
    }
    if (told == before) break;
  }
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void get_dead_letters(const Surroundings& around, Chores& chores, const Request& request, const Responder& responder) {
  QueryReader query(request);
  const auto reason = query.choice("reason", reasons());
  const size_t limit = query.number("limit", 1, 100, 20);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const std::string_view name = reason ? event::kRejectReasonNames[*reason] : kUnknownReason;
  auto partitions = all_partitions(around);
  std::vector<std::vector<uint64_t>> parts(partitions.size());
  const auto read = [](serving::ShardReader& reader, std::vector<uint64_t>& part) {
    part = reader.pipeline().rejects();
    return true;
  };
  Gathering<std::vector<uint64_t>>::run(
      around.directory, partitions, std::move(parts), read, [&around, &chores, responder, limit, name](auto answered) {
        // Files are read there, and not on a shard's thread.
        const bool taken = chores.post(
            [&around, responder, answered = std::move(answered), limit, name] { responder.send(dead_letter_answer(around, answered, limit, name)); });
        if (!taken) responder.send(away_problem("too many requests wait"));
      });
}

// ---- status

struct StatusPart {
  uint64_t position = 0;
  Time clock = kNoTime;
  uint64_t users = 0;
  uint64_t commits = 0;
  uint64_t committed = 0;
  bool replaying = false;
  uint64_t sweep_left = 0;
  uint64_t events = 0;
  uint64_t transitions = 0;
};

bool read_status(serving::ShardReader& reader, StatusPart& part) {
  const auto& pipeline = reader.pipeline();
  const auto& totals = reader.shard().totals();
  part.position = pipeline.position().offset;
  part.clock = reader.shard().clock();
  part.users = reader.shard().users();
  part.commits = pipeline.last_commit().sequence;
  part.committed = pipeline.settled_sequence();
  part.replaying = pipeline.replaying();
  part.sweep_left = pipeline.progress()->sweep_left;
  part.events = std::accumulate(totals.applied.begin(), totals.applied.end(), uint64_t{0});
  part.transitions = totals.outputs;
  return true;
}

void write_partition(JsonWriter& json, const Surroundings& around, int32_t partition, const StatusPart& part) {
  json.begin_object();
  json.name("partition"), json.integer(partition);
  json.name("instance"), json.string(around.instance);
  json.name("position"), json.unsigned_integer(part.position);
  if (const auto end = around.log_end ? around.log_end(partition) : std::nullopt) {
    // It was asked for before or after the shard: a lag below zero is none.
    const uint64_t at = std::max(*end, part.position);
    json.name("end"), json.unsigned_integer(at);
    json.name("lag"), json.unsigned_integer(at - part.position);
  }
  write_time(json, "clock", part.clock);
  json.name("users"), json.unsigned_integer(part.users);
  json.name("commits"), json.unsigned_integer(part.commits);
  json.name("committed"), json.unsigned_integer(part.committed);
  json.name("replaying"), json.boolean(part.replaying);
  json.name("sweep_left"), json.unsigned_integer(part.sweep_left);
  json.name("events"), json.unsigned_integer(part.events);
  json.name("transitions"), json.unsigned_integer(part.transitions);
  json.end_object();
}

Response status_answer(const Surroundings& around, const std::vector<std::optional<StatusPart>>& parts) {
  static constexpr std::array<std::string_view, 3> kModes = {"embedded", "engine", "api"};
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("mode"), json.string(kModes[static_cast<size_t>(around.mode)]);
  json.name("version"), json.string(around.version);
  json.name("instance"), json.string(around.instance);
  json.name("definitions"), json.string(around.definitions()->hash());
  const bool complete = !parts.empty() && std::all_of(parts.begin(), parts.end(), [](const auto& part) { return part.has_value(); });
  json.name("complete"), json.boolean(complete);
  json.name("partitions"), json.begin_array();
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i]) write_partition(json, around, static_cast<int32_t>(i), *parts[i]);
  json.end_array();
  json.name("instances"), json.begin_array();
  json.begin_object();
  json.name("instance"), json.string(around.instance);
  json.name("address"), json.string("");
  json.name("partitions"), json.begin_array();
  for (const int32_t partition : around.directory.local_partitions()) json.integer(partition);
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void get_status(const Surroundings& around, const Responder& responder) {
  auto partitions = all_partitions(around);
  std::vector<StatusPart> parts(partitions.size());
  Gathering<StatusPart>::run(around.directory, partitions, std::move(parts), read_status,
                             [&around, responder](const auto& answered) { responder.send(status_answer(around, answered)); });
}

// Answers 400 where the query is not empty.
bool has_query(const Request& request, const Responder& responder) {
  QueryReader query(request);
  const auto& mistakes = query.finish();
  if (!mistakes.empty()) responder.send(mistakes_problem(400, mistakes));
  return !mistakes.empty();
}

}  // namespace

void add_shop_routes(http::Router& router, const Surroundings& around, Chores& chores) {
  const http::RouteOptions read{.scope = http::Scope::kRead};
  router.add(
      "GET", "/v1/lifecycle",
      [&around](const Request& request, const Responder& responder) {
        if (!has_query(request, responder)) get_lifecycle(around, responder);
      },
      read);
  router.add(
      "GET", "/v1/dead-letters",
      [&around, &chores](const Request& request, const Responder& responder) { get_dead_letters(around, chores, request, responder); }, read);
  router.add(
      "GET", "/v1/status",
      [&around](const Request& request, const Responder& responder) {
        if (!has_query(request, responder)) get_status(around, responder);
      },
      read);
}

}  // namespace segue::api
