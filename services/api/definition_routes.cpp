// SPDX-License-Identifier: Apache-2.0
#include "services/api/definition_routes.h"

#include "lib/codec/json_writer.h"
#include "lib/serving/definitions_json.h"
#include "services/api/answers.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/request_body.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

using codec::JsonWriter;
using http::Request;
using http::Responder;
using http::Response;

constexpr size_t kMaxTextBytes = 1'000'000;

Response definitions_answer(const Surroundings& around, const segment::Definitions& definitions, uint64_t sweep_left) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("hash"), json.string(definitions.hash());
  json.name("text"), json.string(definitions.text());
  json.name("time_zone"), json.string(definitions.time_zone());
  json.name("sweep_left"), json.unsigned_integer(sweep_left);
  json.name("editable"), json.boolean(around.put_definitions != nullptr);
  serving::write_definitions(json, definitions);
  json.end_object();
  Response response = json_answer(std::move(body));
  response.headers.push_back({"ETag", "\"" + definitions.hash() + "\""});
  return response;
}

void get_definitions(const Surroundings& around, const Request& request, const Responder& responder) {
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  Gathering<uint64_t>::Plan plan;
  plan.ask = [](serving::ShardReader& reader, uint64_t& left) {
    left = reader.pipeline().progress()->sweep_left;
    return true;
  };
  plan.question = [](const std::vector<int32_t>&) { return Neighbours::Question{.target = "/v1/status"}; };
  plan.read = [](const std::vector<int32_t>&, const Response& answer, uint64_t& left) {
    StatusAnswer status;
    const bool is_right = read_status(answer.body, status);
    left = status.sweep_left;
    return is_right;
  };
  plan.done = [&around, responder, definitions = around.definitions()](const std::vector<std::optional<uint64_t>>& parts) {
    uint64_t left = 0;
    for (const auto& part : parts) left += part.value_or(0);
    responder.send(definitions_answer(around, *definitions, left));
  };
  Gathering<uint64_t>::run(around, *reach, std::move(plan));
}

// The draft of a body; empty: answered.
std::optional<std::string> read_draft(const Request& request, const Responder& responder) {
  BodyReader body(request.body);
  auto text = body.text("text", kMaxTextBytes, true);
  if (const auto& mistakes = body.finish(); !mistakes.empty()) {
    responder.send(mistakes_problem(400, mistakes));
    return {};
  }
  return text;
}

auto parse(const std::string& text) { return segment::Definitions::parse(text, "text"); }

Response check_answer(const Surroundings& around, const std::string& text) {
  std::string body;
  JsonWriter json(body);
  const auto parsed = parse(text);
  json.begin_object();
  json.name("valid"), json.boolean(parsed.has_value());
  if (parsed) {
    json.name("hash"), json.string(parsed->hash());
    json.name("same_as_in_force"), json.boolean(parsed->hash() == around.definitions()->hash());
  } else {
    json.name("errors"), json.begin_array();
    for (const auto& error : parsed.error()) {
      json.begin_object();
      if (error.line > 0) json.name("line"), json.integer(error.line);
      if (error.column > 0) json.name("column"), json.integer(error.column);
      json.name("message"), json.string(error.message);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return json_answer(std::move(body));
}

Response definition_mistakes(const std::vector<segment::DefinitionError>& errors) {
  Mistakes mistakes;
  for (const auto& error : errors) mistakes.push_back({.at = "/text", .line = error.line, .column = error.column, .message = error.message});
  return mistakes_problem(422, mistakes);
}

// The draft, parsed; else the answer.
tl::expected<Surroundings::Definitions, Response> parse_draft(const std::string& text) {
  auto parsed = parse(text);
  if (!parsed) return tl::unexpected<Response>(definition_mistakes(parsed.error()));
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

Response put_answer(const Surroundings& around, const std::string& text, const std::string& if_match) {
  const auto in_force = around.definitions()->hash();
  if (!if_match.empty() && if_match != "*" && if_match != "\"" + in_force + "\"")
    return http::problem(412, "other definitions are in force: " + in_force);
  const auto draft = parse_draft(text);
  if (!draft) return draft.error();
  if (const auto put = around.put_definitions(*draft); !put) return error_problem(put.error());
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("hash"), json.string((*draft)->hash());
  json.name("changed"), json.boolean((*draft)->hash() != in_force);
  json.end_object();
  return json_answer(std::move(body));
}

// ---- previews

void write_sides(JsonWriter& json, std::string_view name, const std::vector<PreviewResult::Sides>& sides) {
  json.name(name), json.begin_array();
  for (const auto& side : sides) {
    json.begin_object();
    json.name("name"), json.string(side.name);
    json.name("in_force"), json.unsigned_integer(side.in_force);
    json.name("draft"), json.unsigned_integer(side.draft);
    json.end_object();
  }
  json.end_array();
}

void write_result(JsonWriter& json, const PreviewResult& result) {
  json.begin_object();
  if (result.as_of_ms >= 0) json.name("as_of"), json.integer(result.as_of_ms);
  json.name("in_force"), json.string(result.in_force);
  json.name("draft"), json.string(result.draft);
  json.name("users"), json.unsigned_integer(result.users);
  json.name("users_in_another_stage"), json.unsigned_integer(result.users_in_another_stage);
  json.name("flow"), json.begin_array();
  for (const auto& flow : result.flow) {
    json.begin_object();
    json.name("in_force"), json.string(flow.in_force);
    json.name("draft"), json.string(flow.draft);
    json.name("users"), json.unsigned_integer(flow.users);
    json.end_object();
  }
  json.end_array();
  write_sides(json, "stages", result.stages);
  write_sides(json, "moves", result.moves);
  write_sides(json, "segments", result.segments);
  write_sides(json, "tags", result.tags);
  json.name("samples"), json.begin_array();
  for (const auto& sample : result.samples) {
    json.begin_object();
    json.name("user_id"), json.string(sample.user_id);
    json.name("in_force"), json.string(sample.in_force);
    json.name("draft"), json.string(sample.draft);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

Response preview_answer(const Previews::Status& status, unsigned code) {
  static constexpr std::array<std::string_view, 4> kStates = {"running", "done", "failed", "cancelled"};
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.name("id"), json.string(status.id);
  json.name("state"), json.string(kStates[static_cast<size_t>(status.state)]);
  json.name("progress"), json.number(status.part);
  json.name("events"), json.unsigned_integer(status.events);
  if (!status.detail.empty()) json.name("detail"), json.string(status.detail);
  if (status.result) json.name("result"), write_result(json, *status.result);
  json.end_object();
  return json_answer(std::move(body), code);
}

Response no_preview() { return http::problem(404, "no such preview (only the newest is kept)"); }

Response start_preview(const Surroundings&, Previews& previews, const std::string& text) {
  const auto draft = parse_draft(text);
  if (!draft) return draft.error();
  const auto status = previews.start(*draft);
  if (!status) {
    Response response = http::problem(429, "a preview runs already: wait for it or cancel it");
    response.headers.push_back({"Retry-After", "5"});
    return response;
  }
  Response response = preview_answer(*status, 202);
  response.headers.push_back({"Location", "/v1/definitions/preview/" + status->id});
  return response;
}

// Reads the query, which is empty, and hands over.
http::AsyncHandler plain(std::function<void(const Request&, const Responder&)> handle) {
  return [handle = std::move(handle)](const Request& request, const Responder& responder) {
    QueryReader query(request);
    if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
    handle(request, responder);
  };
}

// Parsing a large draft takes longer than a server's thread has.
void post(Chores& chores, const Responder& responder, std::function<Response()> make) {
  const bool taken = chores.post([responder, make = std::move(make)] { responder.send(make()); });
  if (!taken) responder.send(away_problem("too many requests wait"));
}

}  // namespace

void add_definition_routes(http::Router& router, const Surroundings& around, Chores& chores, Previews& previews) {
  const http::RouteOptions read{.scope = http::Scope::kRead, .max_body_bytes = kMaxBodyBytes, .gate = refuse_unless_json};
  const http::RouteOptions admin{.scope = http::Scope::kAdmin, .max_body_bytes = kMaxBodyBytes, .gate = refuse_unless_json};
  const http::RouteOptions read_only{.scope = http::Scope::kRead};
  const http::RouteOptions admin_only{.scope = http::Scope::kAdmin};
  router.add("GET", "/v1/definitions",
             plain([&around](const Request& request, const Responder& responder) { get_definitions(around, request, responder); }), read_only);
  router.add("POST", "/v1/definitions/check", plain([&](const Request& request, const Responder& responder) {
               const auto text = read_draft(request, responder);
               if (text) post(chores, responder, [&around, text = *text] { return check_answer(around, text); });
             }),
             read);
  router.add(
      "PUT", "/v1/definitions", plain([&](const Request& request, const Responder& responder) {
        const auto text = read_draft(request, responder);
        if (!text) return;
        if (!around.put_definitions)
          return responder.send(http::problem(409, "each engine's own file decides: change `definitions` of its segue.yaml and send it SIGHUP"));
        const std::string if_match(request.header("If-Match"));
        post(chores, responder, [&around, text = *text, if_match] { return put_answer(around, text, if_match); });
      }),
      admin);
  router.add(
      "POST", "/v1/definitions/preview", plain([&](const Request& request, const Responder& responder) {
        const auto text = read_draft(request, responder);
        if (!text) return;
        if (!around.preview)
          return responder.send(http::problem(409, "previews replay the embedded log; with Kafka use `segue replay --against` on a recorded log"));
        post(chores, responder, [&around, &previews, text = *text] { return start_preview(around, previews, text); });
      }),
      admin);
  router.add("GET", "/v1/definitions/preview/{id}", plain([&](const Request& request, const Responder& responder) {
               const auto status = previews.find(request.path_parameter("id"));
               responder.send(status ? preview_answer(*status, 200) : no_preview());
             }),
             admin_only);
  router.add("DELETE", "/v1/definitions/preview/{id}", plain([&](const Request& request, const Responder& responder) {
               const bool found = previews.cancel(request.path_parameter("id"));
               responder.send(found ? Response{.status = 204, .content_type = ""} : no_preview());
             }),
             admin_only);
}

}  // namespace segue::api
