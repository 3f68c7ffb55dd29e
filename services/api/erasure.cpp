// SPDX-License-Identifier: Apache-2.0
#include "services/api/erasure.h"

#include <chrono>
#include <random>

#include "lib/codec/event_json.h"
#include "lib/codec/json_text.h"
#include "lib/codec/json_writer.h"
#include "services/api/query_reader.h"

namespace segue::api {
namespace {

// No two requests may share an event id: the second would be dropped as a duplicate after the user came back.
std::string make_event_id() {
  std::random_device device;
  std::string id = "erase-";
  for (int word = 0; word < 4; ++word)
    for (uint32_t bits = device(), digit = 0; digit < 8; ++digit, bits >>= 4) id += "0123456789abcdef"[bits & 15];
  return id;
}

}  // namespace

void erase_user(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const std::string& user_id = request.path_parameter("user_id");
  if (user_id.size() > event::kMaxUserIdBytes || !codec::is_utf8(user_id))
    return responder.send(mistakes_problem(400, {{.at = "user_id", .message = "not a text of 1 to 256 bytes of UTF-8"}}));
  if (around.sink == nullptr)
    return responder.send(http::problem(409, "this instance has no way into the log: ask one with a collector, or put a delete event into the log"));
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const std::string event_id = make_event_id();
  std::string line;
  event::Event event;
  event.type = event::EventType::kDelete;
  event.ts = event.received_at = now;
  event.event_id = event_id;
  event.user_id = user_id;
  codec::append_json(event, line);
  const intake::SinkRecord record{.user_id = user_id, .line = line};
  const auto admission = around.sink->submit({&record, 1}, [responder, event_id, now](const Result<>& result) {
    if (!result) return responder.send(away_problem("the log does not take events at the moment"));
    std::string body;
    codec::JsonWriter json(body);
    json.begin_object();
    json.name("status"), json.string("accepted");
    json.name("event_id"), json.string(event_id);
    json.name("at"), json.integer(to_ms(now));
    json.end_object();
    responder.send(json_answer(std::move(body), 202));
  });
  if (admission != intake::Admission::kTaken) responder.send(away_problem("the log does not take events at the moment"));
}

}  // namespace segue::api
