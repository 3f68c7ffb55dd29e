// SPDX-License-Identifier: Apache-2.0
// Any bytes on a connection: requests or a refusal, the same however they are cut into pieces, and an answer of the router to each that is a whole
// status line and headers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/http/answer_text.h"
#include "lib/http/gzip.h"
#include "lib/http/message_reader.h"
#include "lib/http/query.h"
#include "lib/http/router.h"

namespace {

using namespace segue;
using State = http::RequestReader::State;

constexpr size_t kMaxBodyBytes = 4096;

http::Router make_router() {
  http::Router router;
  const auto echo = http::answer_at_once([](const http::Request& request) {
    std::string text(request.route);
    for (const auto& [name, value] : request.path_parameters) text += name + value;
    for (const auto& [name, value] : request.parameters) {
      text += name + value;
      const auto again = http::parse_query(http::percent_encode(name) + "=" + http::percent_encode(value));
      SEGUE_ASSERT(again && again->size() == 1 && again->front().name == name && again->front().value == value);
    }
    return http::Response{.body = text, .headers = {{"X-Echo", std::string(request.header("X-Echo"))}}};
  });
  router.add("GET", "/v1/profiles/{user_id}", echo);
  router.add("GET", "/v1/profiles/{user_id}/history", echo);
  router.add("POST", "/v1/batch", echo);
  router.add("GET", "/assets/{path...}", echo);
  return router;
}

// What the requests in `bytes` are, told as text.
std::string tell(std::string_view bytes, size_t step, const http::Router& router) {
  std::string told, waiting;
  http::RequestReader reader(2048);
  bool limited = false;
  while (!bytes.empty()) {
    waiting += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (size_t used = 1; used > 0;) {
      used = reader.feed(waiting);
      waiting.erase(0, used);
      if (reader.state() == State::kFailed) return told + "failed " + std::to_string(reader.failure());
      if (reader.state() == State::kHead) continue;
      if (!limited && !reader.limit_body(kMaxBodyBytes)) return told + "too large";
      limited = true;
      if (reader.state() != State::kDone) continue;
      http::Request request = reader.take_head();
      request.body = reader.take_body();
      SEGUE_ASSERT(request.body.size() <= kMaxBodyBytes);
      if (const auto plain = http::gunzip(request.body, kMaxBodyBytes)) SEGUE_ASSERT(plain->size() <= kMaxBodyBytes);
      told += request.method + " " + request.path + " " + std::to_string(request.body.size());
      if (!request.path.empty()) {
        router(std::move(request), http::Responder([&](const http::Response& response) {
                 const std::string head = http::head_text(response, {.keep_alive = reader.keep_alive()});
                 SEGUE_ASSERT(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4);
                 told += head + response.body;
               }));
      }
      reader.reset();
      limited = false;
      used = 1;
    }
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static const http::Router router = make_router();
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = 1 + data[0];
  const std::string whole = tell(bytes, bytes.size(), router);
  const std::string pieces = tell(bytes, step, router);
  // A fault in a head is seen at once or only when the head is whole, and one that is too large earlier or later; nothing else may differ.
  if (size < 1024) SEGUE_ASSERT(whole.starts_with(pieces) || pieces.starts_with(whole));
  return 0;
}
