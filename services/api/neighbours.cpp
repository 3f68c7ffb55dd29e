// SPDX-License-Identifier: Apache-2.0
#include "services/api/neighbours.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "services/api/problem.h"
#include "services/api/reach.h"

namespace segue::api {
namespace {

constexpr size_t kMaxTokenBytes = 1024;
// As many as a busy console and a shop keep busy; shorter than the server's patience.
constexpr size_t kKeptConnections = 32;
// A shard's whole list of keys is some 10 MB.
constexpr size_t kMaxAnswerBytes = 64u << 20;

http::Response away(const std::string& what) { return away_problem("the instance that has the shard " + what); }

}  // namespace

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!file || (!std::getline(file, token) && !file.eof())) return fail(ErrorClass::kUsage, path + ": cannot be read");
  if (!token.empty() && token.back() == '\r') token.pop_back();
  const bool is_token =
      !token.empty() && token.size() <= kMaxTokenBytes && std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_token) return fail(ErrorClass::kUsage, path + ": its first line is no token (1 to 1024 printable characters without blanks)");
  return token;
}

Result<std::unique_ptr<Neighbours>> Neighbours::start(const Options& options) {
  std::unique_ptr<Neighbours> neighbours(new Neighbours(options.token_file));
  SEGUE_TRY(neighbours->reload());
  http::Client::Options client;
  client.timeout = options.timeout;
  client.max_idle_connections = kKeptConnections;
  client.max_answer_bytes = kMaxAnswerBytes;
  client.tls_ca_file = options.ca_file;
  auto started = http::Client::start(std::move(client));
  if (!started) return fail(ErrorClass::kUsage, "api.ca_file: " + started.error().message);
  neighbours->client_ = std::move(*started);
  return neighbours;
}

Result<> Neighbours::reload() {
  if (token_file_.empty()) return {};
  auto token = read_token(token_file_);
  if (!token) return fail(ErrorClass::kUsage, "api.instance_token_file: " + token.error().message);
  const std::lock_guard lock(mutex_);
  authorization_ = "Bearer " + *token;
  return {};
}

void Neighbours::ask(const serving::Instance& instance, Question question, Done done) {
  auto address = http::parse_server_address(instance.address);
  if (!address) return done(passed_on(instance.name, tl::unexpected<Error>(address.error())));
  http::Client::Call call{.address = std::move(*address), .method = std::move(question.method), .target = std::move(question.target)};
  call.headers = std::move(question.headers);
  call.headers.push_back({std::string(kPartitionsHeader), partitions_text(question.partitions)});
  if (!question.definitions.empty()) call.headers.push_back({std::string(kDefinitionsHeader), std::move(question.definitions)});
  {
    const std::lock_guard lock(mutex_);
    if (!authorization_.empty()) call.headers.push_back({"Authorization", authorization_});
  }
  if (!question.body.empty()) call.headers.push_back({"Content-Type", "application/json"});
  call.body = std::move(question.body);
  client_->send(std::move(call),
                [this, name = instance.name, done = std::move(done)](Result<http::Response> answer) { done(passed_on(name, std::move(answer))); });
}

http::Response Neighbours::passed_on(const std::string& instance, Result<http::Response> answer) {
  if (!answer) {
    throttle_.warn("an instance does not answer", {{"instance", instance}, {"reason", answer.error().message}});
    return answer.error().kind == ErrorClass::kRetry ? away("does not answer at the moment") : away("gave no answer that can be used");
  }
  if (answer->status == 401 || answer->status == 403) {
    throttle_.warn("an instance refuses this one's token: see api.instance_token_file", {{"instance", instance}});
    return http::problem(502, "the instance that has the shard refuses this one's token (api.instance_token_file)");
  }
  http::Response response{.status = answer->status, .content_type = std::move(answer->content_type), .body = std::move(answer->body)};
  // The others are of that connection, or of no use to whoever asked here.
  for (auto& header : answer->headers)
    if (http::equal_ignoring_case(header.name, "Retry-After") || http::equal_ignoring_case(header.name, kNextHeader))
      response.headers.push_back(std::move(header));
  return response;
}

}  // namespace segue::api
