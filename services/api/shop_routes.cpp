// SPDX-License-Identifier: Apache-2.0
#include "services/api/shop_routes.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "lib/codec/json_writer.h"
#include "lib/event/reject_reason.h"
#include "services/api/answers.h"
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

// ---- lifecycle

bool read_lifecycle_of(serving::ShardReader& reader, LifecycleAnswer& part) {
  const auto& shard = reader.shard();
  const auto& definitions = reader.definitions();
  const auto& population = shard.population();
  const auto& moves = shard.totals().moves;
  part = {.clock = shard.clock(), .users = shard.users(), .definitions = definitions.hash(), .time_zone = std::string(definitions.time_zone())};
  for (size_t i = 0; i < definitions.stages().size(); ++i)
    part.stages.push_back({std::string(definitions.stage_name(i)), i < population.size() ? population[i] : 0});
  for (size_t i = 0; i < definitions.moves().size(); ++i) {
    const auto& move = definitions.move(i);
    part.moves.push_back(
        {move.name, std::string(definitions.stage_name(move.from)), std::string(definitions.stage_name(move.to)), i < moves.size() ? moves[i] : 0});
  }
  return true;
}

// False: the two are of different definitions.
bool add(LifecycleAnswer& sum, const LifecycleAnswer& part) {
  if (sum.definitions != part.definitions || sum.stages.size() != part.stages.size() || sum.moves.size() != part.moves.size()) return false;
  // A shard without events has no clock, and holds nobody back.
  if (part.clock != kNoTime) sum.clock = sum.clock == kNoTime ? part.clock : std::min(sum.clock, part.clock);
  sum.users += part.users;
  for (size_t i = 0; i < part.stages.size(); ++i) sum.stages[i].users += part.stages[i].users;
  for (size_t i = 0; i < part.moves.size(); ++i) sum.moves[i].total += part.moves[i].total;
  return true;
}

Response lifecycle_answer(const std::vector<std::optional<LifecycleAnswer>>& parts) {
  if (parts.empty()) return away_problem("no shard is here at the moment");
  for (const auto& part : parts)
    if (!part) return away_problem("a shard is not here at the moment");
  LifecycleAnswer sum = *parts.front();
  for (size_t i = 1; i < parts.size(); ++i)
    if (!add(sum, *parts[i])) return definitions_change();
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_time(json, "as_of", sum.clock);
  json.name("users"), json.unsigned_integer(sum.users);
  json.name("definitions"), json.string(sum.definitions);
  json.name("time_zone"), json.string(sum.time_zone);
  json.name("stages"), json.begin_array();
  for (const auto& stage : sum.stages) {
    json.begin_object();
    json.name("name"), json.string(stage.name);
    json.name("users"), json.unsigned_integer(stage.users);
    json.end_object();
  }
  json.end_array();
  json.name("moves"), json.begin_array();
  for (const auto& move : sum.moves) {
    json.begin_object();
    json.name("name"), json.string(move.name);
    json.name("from"), json.string(move.from);
    json.name("to"), json.string(move.to);
    json.name("total"), json.unsigned_integer(move.total);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void get_lifecycle(const Surroundings& around, const Request& request, const Responder& responder) {
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  Gathering<LifecycleAnswer>::Plan plan;
  plan.ask = read_lifecycle_of;
  plan.question = [](const std::vector<int32_t>&) { return Neighbours::Question{.target = "/v1/lifecycle"}; };
  plan.read = [](const std::vector<int32_t>&, const Response& answer, LifecycleAnswer& part) { return read_lifecycle(answer.body, part); };
  plan.done = [responder](const auto& answered) { responder.send(lifecycle_answer(answered)); };
  Gathering<LifecycleAnswer>::run(around, *reach, std::move(plan));
}

// ---- dead letters

void add(std::vector<uint64_t>& sum, const std::vector<uint64_t>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
}

constexpr std::string_view kUnknownReason;

std::vector<std::string_view> reasons() { return {event::kRejectReasonNames.begin(), event::kRejectReasonNames.end()}; }

Response dead_letter_answer(const Surroundings& around, const Reach& reach, const std::vector<std::optional<std::vector<uint64_t>>>& parts,
                            size_t limit, std::string_view reason) {
  std::vector<uint64_t> totals(event::kRejectReasons);
  for (const auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    add(totals, *part);
  }
  std::vector<std::vector<std::string>> newest;
  for (const int32_t partition : reach.partitions) {
    // Whoever asks for another's counts looks for samples himself.
    if (!around.dead_letters || reach.only_here) break;
    auto lines = around.dead_letters(partition, limit, reason);
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
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  using Totals = std::vector<uint64_t>;
  Gathering<Totals>::Plan plan;
  plan.ask = [](serving::ShardReader& reader, Totals& part) {
    part = reader.pipeline().rejects();
    return true;
  };
  plan.question = [](const std::vector<int32_t>&) { return Neighbours::Question{.target = "/v1/dead-letters"}; };
  plan.read = [](const std::vector<int32_t>&, const Response& answer, Totals& part) { return read_reject_totals(answer.body, part); };
  plan.done = [&around, &chores, responder, reach = *reach, limit, name](auto answered) {
    // Files are read there, and not on a shard's thread.
    const bool taken = chores.post([&around, responder, reach, answered = std::move(answered), limit, name] {
      responder.send(dead_letter_answer(around, reach, answered, limit, name));
    });
    if (!taken) responder.send(away_problem("too many requests wait"));
  };
  Gathering<Totals>::run(around, *reach, std::move(plan));
}

// ---- status

void write_partition(JsonWriter& json, const Surroundings& around, serving::ShardReader& reader) {
  const auto& pipeline = reader.pipeline();
  const auto& totals = reader.shard().totals();
  const uint64_t position = pipeline.position().offset;
  json.begin_object();
  json.name("partition"), json.integer(reader.partition());
  json.name("instance"), json.string(around.instance);
  json.name("position"), json.unsigned_integer(position);
  if (const auto end = around.log_end ? around.log_end(reader.partition()) : std::nullopt) {
    // It was asked for before or after the shard: a lag below zero is none.
    const uint64_t at = std::max(*end, position);
    json.name("end"), json.unsigned_integer(at);
    json.name("lag"), json.unsigned_integer(at - position);
  }
  write_time(json, "clock", reader.shard().clock());
  json.name("users"), json.unsigned_integer(reader.shard().users());
  json.name("commits"), json.unsigned_integer(pipeline.last_commit().sequence);
  json.name("committed"), json.unsigned_integer(pipeline.settled_sequence());
  json.name("replaying"), json.boolean(pipeline.replaying());
  json.name("sweep_left"), json.unsigned_integer(pipeline.progress()->sweep_left);
  json.name("events"), json.unsigned_integer(std::accumulate(totals.applied.begin(), totals.applied.end(), uint64_t{0}));
  json.name("transitions"), json.unsigned_integer(totals.outputs);
  json.end_object();
}

void write_instance(JsonWriter& json, const KnownInstance& instance) {
  json.begin_object();
  json.name("instance"), json.string(instance.instance);
  json.name("address"), json.string(instance.address);
  json.name("partitions"), json.begin_array();
  for (const int32_t partition : instance.partitions) json.integer(partition);
  json.end_array();
  if (instance.at_ms > 0) json.name("at"), json.integer(instance.at_ms);
  json.end_object();
}

Response status_answer(const Surroundings& around, const Reach& reach, const std::vector<std::optional<StatusAnswer>>& parts) {
  static constexpr std::array<std::string_view, 3> kModes = {"embedded", "engine", "api"};
  std::map<int32_t, const std::string*> partitions;
  for (const auto& part : parts)
    if (part)
      for (const auto& [number, json] : part->partitions) partitions[number] = &json;
  const InstanceView view = around.instances ? around.instances() : InstanceView{};
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("mode"), json.string(kModes[static_cast<size_t>(around.mode)]);
  json.name("version"), json.string(around.version);
  json.name("instance"), json.string(around.instance);
  json.name("definitions"), json.string(around.definitions()->hash());
  json.name("complete"), json.boolean(!reach.partitions.empty() && partitions.size() == reach.partitions.size());
  json.name("partitions"), json.begin_array();
  for (const auto& [number, partition] : partitions) json.raw(*partition);
  json.end_array();
  json.name("instances"), json.begin_array();
  write_instance(json, {around.instance, view.address, around.directory.local_partitions()});
  for (const auto& other : view.others) write_instance(json, other);
  json.end_array();
  if (!view.trouble.empty()) json.name("trouble"), json.string(view.trouble);
  json.end_object();
  return json_answer(std::move(body));
}

void get_status(const Surroundings& around, const Request& request, const Responder& responder) {
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  Gathering<StatusAnswer>::Plan plan;
  plan.ask = [&around](serving::ShardReader& reader, StatusAnswer& part) {
    std::string partition;
    JsonWriter json(partition);
    write_partition(json, around, reader);
    part.partitions.emplace_back(reader.partition(), std::move(partition));
    return true;
  };
  plan.question = [](const std::vector<int32_t>&) { return Neighbours::Question{.target = "/v1/status"}; };
  plan.read = [](const std::vector<int32_t>&, const Response& answer, StatusAnswer& part) { return read_status(answer.body, part); };
  plan.done = [&around, responder, reach = *reach](const auto& answered) { responder.send(status_answer(around, reach, answered)); };
  Gathering<StatusAnswer>::run(around, *reach, std::move(plan));
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
        if (!has_query(request, responder)) get_lifecycle(around, request, responder);
      },
      read);
  router.add(
      "GET", "/v1/dead-letters",
      [&around, &chores](const Request& request, const Responder& responder) { get_dead_letters(around, chores, request, responder); }, read);
  router.add(
      "GET", "/v1/status",
      [&around](const Request& request, const Responder& responder) {
        if (!has_query(request, responder)) get_status(around, request, responder);
      },
      read);
}

}  // namespace segue::api
