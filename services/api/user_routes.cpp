// SPDX-License-Identifier: Apache-2.0
#include "services/api/user_routes.h"

#include <algorithm>
#include <map>

#include "lib/codec/json_text.h"
#include "lib/event/event.h"
#include "services/api/answers.h"
#include "services/api/erasure.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/request_body.h"
#include "services/api/shard_calls.h"
#include "services/api/similar.h"

namespace segue::api {
namespace {

using http::Request;
using http::Responder;
using http::Response;

constexpr size_t kMaxLookup = 1000;
// Profiles of one turn of a shard: a hundred from the store take about a millisecond.
constexpr size_t kLookupSlice = 100;

const std::vector<std::string_view>& part_names() {
  static const std::vector<std::string_view> names(kPartNames.begin(), kPartNames.end());
  return names;
}

void select(const std::vector<size_t>& parts, ProfileSelection& selection) {
  if (parts.empty()) return;
  selection.parts.reset();
  for (const size_t part : parts) selection.parts.set(part);
}

Response unknown_user() { return http::problem(404, "no such user (user ids are exact, upper and lower case included)"); }
Response away() { return away_problem("the user's shard is not here at the moment"); }

// Renders the user's profile on the shard's thread and answers.
using Render = void (*)(const UserMoment& user, const ProfileSelection& selection, std::string& out);

void answer_user(const Surroundings& around, const Request& request, const ProfileSelection& selection, Render render, const Responder& responder) {
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (around.directory.partitions() == 0) return responder.send(away());
  const std::string& user_id = request.path_parameter("user_id");
  const int32_t partition = around.directory.partition_of(user_id);
  if (send_on(around, *reach, partition, request, responder)) return;
  ask_shard(around.directory, partition, [=](serving::ShardReader* reader) {
    if (reader == nullptr) return responder.send(away()), true;
    const auto found = reader->find(user_id);
    if (!found) return responder.send(error_problem(found.error())), true;
    if (*found == nullptr) return responder.send(unknown_user()), true;
    std::string body;
    render({user_id, **found, reader->definitions(), reader->partition(), reader->shard().clock()}, selection, body);
    responder.send(json_answer(std::move(body)));
    return true;
  });
}

void get_profile(const Surroundings& around, const Request& request, const Responder& responder) {
  QueryReader query(request);
  ProfileSelection selection;
  select(query.choices("include", part_names()), selection);
  selection.explain = query.flag("explain");
  selection.sources = query.flag("sources");
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  answer_user(around, request, selection, append_profile, responder);
}

void get_history(const Surroundings& around, const Request& request, const Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const auto render = [](const UserMoment& user, const ProfileSelection&, std::string& out) { append_history(user, out); };
  answer_user(around, request, {}, render, responder);
}

// The users of one shard, or of another instance, in a look-up.
struct Looked {
  std::vector<size_t> places;  // in the request
  std::vector<std::string> profiles;
  size_t next = 0;
  std::optional<Error> error;
};

struct Lookup {
  std::vector<std::string> user_ids;
  ProfileSelection selection;
  std::map<int32_t, std::vector<size_t>> places;  // by partition
};

bool look_up_slice(serving::ShardReader& reader, const Lookup& lookup, Looked& looked) {
  if (looked.next == 0) looked.places = lookup.places.at(reader.partition());
  std::vector<std::string_view> ids;
  const size_t end = std::min(looked.next + kLookupSlice, looked.places.size());
  for (size_t i = looked.next; i < end; ++i) ids.push_back(lookup.user_ids[looked.places[i]]);
  looked.profiles.resize(looked.places.size());
  const auto result = reader.find_many(ids, [&](size_t index, shard::UserNumber, const profile::Profile* profile) {
    if (profile == nullptr) return;
    append_profile({ids[index], *profile, reader.definitions(), reader.partition(), reader.shard().clock()}, lookup.selection,
                   looked.profiles[looked.next + index]);
  });
  if (!result) looked.error = result.error();
  looked.next = end;
  return end == looked.places.size() || looked.error;
}

std::vector<size_t> places_of(const Lookup& lookup, const std::vector<int32_t>& partitions) {
  std::vector<size_t> places;
  for (const int32_t partition : partitions) {
    const auto& more = lookup.places.at(partition);
    places.insert(places.end(), more.begin(), more.end());
  }
  return places;
}

// What another instance is asked.
std::string lookup_body(const Lookup& lookup, const std::vector<size_t>& places) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.name("user_ids"), json.begin_array();
  for (const size_t place : places) json.string(lookup.user_ids[place]);
  json.end_array();
  json.name("include"), json.begin_array();
  for (size_t part = 0; part < kParts; ++part)
    if (lookup.selection.parts.test(part)) json.string(kPartNames[part]);
  json.end_array();
  json.name("explain"), json.boolean(lookup.selection.explain);
  json.name("sources"), json.boolean(lookup.selection.sources);
  json.end_object();
  return body;
}

// To another instance: a line for each user in the order of its request, empty for one who is not there. So it need not take JSON apart.
Response looked_lines(const std::vector<const std::string*>& found) {
  std::string body;
  for (const auto* profile : found) body.append(*profile).append("\n");
  return {.content_type = "application/x-ndjson", .body = std::move(body)};
}

Response looked_answer(const Lookup& lookup, std::vector<std::optional<Looked>>& parts, bool as_lines) {
  std::vector<const std::string*> found(lookup.user_ids.size());
  for (const auto& part : parts) {
    if (!part) return away_problem("the shard of one of the users is not here at the moment");
    if (part->error) return error_problem(*part->error);
    for (size_t i = 0; i < part->places.size(); ++i) found[part->places[i]] = &part->profiles[i];
  }
  if (as_lines) return looked_lines(found);
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.name("profiles"), json.begin_array();
  for (const auto* profile : found)
    if (!profile->empty()) json.raw(*profile);
  json.end_array();
  json.name("not_found"), json.begin_array();
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i]->empty()) json.string(lookup.user_ids[i]);
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void look_up(const Surroundings& around, const Request& request, const Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  auto lookup = std::make_shared<Lookup>();
  BodyReader body(request.body);
  lookup->user_ids = body.texts("user_ids", 1, kMaxLookup, event::kMaxUserIdBytes, true, true).value_or(std::vector<std::string>());
  select(body.choices("include", part_names(), 0).value_or(std::vector<size_t>()), lookup->selection);
  lookup->selection.explain = body.boolean("explain").value_or(false);
  lookup->selection.sources = body.boolean("sources").value_or(false);
  if (const auto& mistakes = body.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (around.directory.partitions() == 0) return responder.send(away());
  for (size_t i = 0; i < lookup->user_ids.size(); ++i) lookup->places[around.directory.partition_of(lookup->user_ids[i])].push_back(i);
  reach->partitions.clear();
  for (const auto& [partition, places] : lookup->places) reach->partitions.push_back(partition);
  Gathering<Looked>::Plan plan;
  plan.ask = [lookup](serving::ShardReader& reader, Looked& looked) { return look_up_slice(reader, *lookup, looked); };
  plan.question = [lookup](const std::vector<int32_t>& partitions) {
    return Neighbours::Question{.method = "POST", .target = "/v1/profiles/lookup", .body = lookup_body(*lookup, places_of(*lookup, partitions))};
  };
  plan.read = [lookup](const std::vector<int32_t>& partitions, const Response& answer, Looked& looked) {
    looked.places = places_of(*lookup, partitions);
    return read_lines(answer.body, looked.places.size(), looked.profiles);
  };
  plan.done = [lookup, responder, as_lines = reach->only_here](auto answered) { responder.send(looked_answer(*lookup, answered, as_lines)); };
  Gathering<Looked>::run(around, *reach, std::move(plan));
}

}  // namespace

void add_user_routes(http::Router& router, const Surroundings& around) {
  const http::RouteOptions read{.scope = http::Scope::kRead};
  const auto handler = [&around](void (*handle)(const Surroundings&, const Request&, const Responder&)) {
    return [&around, handle](const Request& request, const Responder& responder) { handle(around, request, responder); };
  };
  const http::RouteOptions post{.scope = http::Scope::kRead, .max_body_bytes = kMaxBodyBytes, .gate = refuse_unless_json};
  router.add("POST", "/v1/profiles/lookup", handler(look_up), post);
  router.add("POST", "/v1/similar", handler(find_near), post);
  router.add("GET", "/v1/profiles/{user_id}", handler(get_profile), read);
  router.add("DELETE", "/v1/profiles/{user_id}", handler(erase_user), {.scope = http::Scope::kErase});
  router.add("GET", "/v1/profiles/{user_id}/history", handler(get_history), read);
  router.add("GET", "/v1/profiles/{user_id}/similar", handler(find_similar), read);
}

}  // namespace segue::api
