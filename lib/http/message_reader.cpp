// SPDX-License-Identifier: Apache-2.0
// The one file that includes Beast: it costs 10 s to compile.
#include "lib/http/message_reader.h"

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "lib/base/assert.h"

namespace segue::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

std::string text_of(beast::string_view text) { return std::string(text.data(), text.size()); }

template <class Message>
std::vector<Header> headers_of(const Message& message) {
  std::vector<Header> headers;
  for (const auto& field : message) headers.push_back({text_of(field.name_string()), text_of(field.value())});
  return headers;
}

unsigned status_of(const beast::error_code& error) {
  if (error == beast::http::error::body_limit) return 413;
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) return 431;
  return 400;
}

// "/a?b" and "http://host/a?b" to path and query; "*", "host:443" and anything else to no path.
void split_target(std::string_view target, Request& request) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    if (!target.starts_with('/')) {
      request.path = "/";
      if (target.starts_with('?')) request.query = target.substr(1);
      return;
    }
  }
  if (!target.starts_with('/')) return;
  const size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  if (question < target.size()) request.query = target.substr(question + 1);
}

}  // namespace

struct RequestReader::Parser {
  using Beast = beast::http::request_parser<beast::http::string_body>;
  std::optional<Beast> beast;
  State state = State::kHead;
  unsigned failure = 0;

  void fail(unsigned status) {
    state = State::kFailed;
    failure = status;
  }

  // What Beast lets pass and two readers of the same bytes could take differently (request smuggling).
  unsigned fault_of_head() const {
    const auto& message = beast->get();
    const auto hosts = message.equal_range(beast::http::field::host);
    const auto host_count = std::distance(hosts.first, hosts.second);
    if (host_count > 1 || (host_count == 0 && message.version() >= 11)) return 400;
    const auto codings = message.equal_range(beast::http::field::transfer_encoding);
    if (codings.first == codings.second) return 0;
    if (message.count(beast::http::field::content_length) > 0 || message.version() < 11) return 400;
    if (std::distance(codings.first, codings.second) > 1) return 400;
    return beast::iequals(codings.first->value(), "chunked") ? 0 : 501;
  }
};

RequestReader::RequestReader(size_t max_header_bytes) : max_header_bytes_(max_header_bytes), parser_(std::make_unique<Parser>()) { reset(); }
RequestReader::~RequestReader() = default;

void RequestReader::reset() {
  parser_->beast.emplace();
  parser_->beast->header_limit(static_cast<uint32_t>(max_header_bytes_));
  parser_->beast->body_limit(std::numeric_limits<uint64_t>::max());  // limit_body knows better; "none" refuses all in 1.74
  parser_->state = State::kHead;
  parser_->failure = 0;
}

size_t RequestReader::feed(std::string_view bytes) {
  Parser& parser = *parser_;
  if (parser.state == State::kDone || parser.state == State::kFailed || bytes.empty()) return 0;
  beast::error_code error;
  const bool head = parser.state == State::kHead;
  const size_t used = parser.beast->put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error && error != beast::http::error::need_more) {
    parser.fail(status_of(error));
    return used;
  }
  if (head && parser.beast->is_header_done()) {
    if (const unsigned fault = parser.fault_of_head(); fault != 0) {
      parser.fail(fault);
      return used;
    }
    parser.state = State::kBody;
    parser.beast->eager(true);
  }
  if (parser.beast->is_done()) parser.state = State::kDone;
  return used;
}

RequestReader::State RequestReader::state() const { return parser_->state; }
unsigned RequestReader::failure() const { return parser_->failure; }

Request RequestReader::take_head() {
  const auto& message = parser_->beast->get();
  Request request;
  request.method = text_of(message.method_string());
  split_target({message.target().data(), message.target().size()}, request);
  request.headers = headers_of(message);
  return request;
}

bool RequestReader::keep_alive() const { return parser_->beast->get().keep_alive(); }
unsigned RequestReader::minor_version() const { return parser_->beast->get().version() % 10; }
bool RequestReader::expects_continue() const { return beast::iequals(parser_->beast->get()[beast::http::field::expect], "100-continue"); }

bool RequestReader::limit_body(size_t max_bytes) {
  const auto length = parser_->beast->content_length();
  if (length && *length > max_bytes) return false;
  parser_->beast->body_limit(max_bytes);
  return true;
}

std::string RequestReader::take_body() { return std::move(parser_->beast->get().body()); }

struct ResponseReader::Parser {
  beast::http::response_parser<beast::http::string_body> beast;
  bool failed = false;
};

ResponseReader::ResponseReader(size_t max_body_bytes, bool to_head) : parser_(std::make_unique<Parser>()) {
  parser_->beast.body_limit(max_body_bytes);
  // Not eager before the head is judged: with bytes of the body behind it, Beast 1.74 forgets that the body is too large.
  parser_->beast.skip(to_head);
}
ResponseReader::~ResponseReader() = default;

size_t ResponseReader::feed(std::string_view bytes) {
  if (bytes.empty() || is_done() || is_failed()) return 0;
  beast::error_code error;
  const size_t used = parser_->beast.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  parser_->failed = error && error != beast::http::error::need_more;
  if (parser_->beast.is_header_done()) parser_->beast.eager(true);
  return used;
}

void ResponseReader::end() {
  if (is_done() || is_failed()) return;
  beast::error_code error;
  if (parser_->beast.got_some()) parser_->beast.put_eof(error);
  parser_->failed = error || !parser_->beast.is_done();
}

bool ResponseReader::is_done() const { return !parser_->failed && parser_->beast.is_done(); }
bool ResponseReader::is_failed() const { return parser_->failed; }
bool ResponseReader::keep_alive() const { return parser_->beast.keep_alive(); }

Response ResponseReader::take() {
  auto& message = parser_->beast.get();
  Response response{.status = message.result_int(), .content_type = text_of(message[beast::http::field::content_type])};
  response.body = std::move(message.body());
  response.headers = headers_of(message);
  return response;
}

}  // namespace segue::http
