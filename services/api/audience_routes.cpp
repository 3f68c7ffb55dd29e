// SPDX-License-Identifier: Apache-2.0
#include "services/api/audience_routes.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "lib/codec/json_writer.h"
#include "services/api/answers.h"
#include "services/api/audience_query.h"
#include "services/api/cursor.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/request_body.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

using http::Request;
using http::Responder;
using http::Response;

constexpr size_t kMaxExpressions = 50;
constexpr size_t kMaxOverlaps = 20;
constexpr size_t kMaxPage = 1000;

// ---- count

struct CountPart {
  uint32_t chunk = 0;  // the next one; each is counted at one moment
  Time clock = kNoTime;
  uint64_t users = 0;
  std::vector<uint64_t> counts;  // by expression, or by pair of them
  bool is_stale = false;
};

struct CountRequest {
  std::shared_ptr<const AudienceQuery> query;
  bool overlaps = false;
};

void count_chunk(const audience::Index& index, const CountRequest& request, CountPart& part) {
  const auto& expressions = request.query->expressions();
  part.users += index.all(part.chunk).count();
  part.counts.resize(request.overlaps ? expressions.size() * expressions.size() : expressions.size());
  if (request.overlaps) {
    audience::add_overlaps(index, expressions, part.chunk, part.chunk + 1, part.counts);
  } else {
    for (size_t i = 0; i < expressions.size(); ++i) part.counts[i] += audience::count(index, expressions[i], part.chunk, part.chunk + 1);
  }
  ++part.chunk;
}

bool count_slice(serving::ShardReader& reader, const CountRequest& request, CountPart& part) {
  part.is_stale = !request.query->fits(reader);
  if (part.is_stale) return true;
  const auto& index = reader.shard().audiences();
  const auto until = std::chrono::steady_clock::now() + kReadSlice;
  while (part.chunk < index.chunks()) {
    count_chunk(index, request, part);
    if (part.chunk < index.chunks() && std::chrono::steady_clock::now() >= until) return false;
  }
  part.clock = reader.shard().clock();
  return true;
}

void write_counts(codec::JsonWriter& json, const CountRequest& request, const CountPart& sum) {
  const size_t n = request.query->texts().size();
  json.name("counts"), json.begin_array();
  for (size_t i = 0; i < n; ++i) {
    json.begin_object();
    json.name("expression"), json.string(request.query->texts()[i]);
    json.name("users"), json.unsigned_integer(sum.counts[request.overlaps ? i * n + i : i]);
    json.end_object();
  }
  json.end_array();
  if (!request.overlaps) return;
  json.name("overlaps"), json.begin_array();
  for (size_t i = 0; i < n; ++i) {
    json.begin_array();
    for (size_t j = 0; j < n; ++j) json.unsigned_integer(sum.counts[i * n + j]);
    json.end_array();
  }
  json.end_array();
}

Response count_answer(const CountRequest& request, const std::vector<std::optional<CountPart>>& parts) {
  const size_t n = request.query->texts().size();
  CountPart sum;
  sum.counts.resize(request.overlaps ? n * n : n);
  if (parts.empty()) return away_problem("no shard is here at the moment");
  for (const auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    if (part->is_stale) return definitions_change();
    if (part->clock != kNoTime) sum.clock = sum.clock == kNoTime ? part->clock : std::min(sum.clock, part->clock);
    sum.users += part->users;
    for (size_t i = 0; i < part->counts.size(); ++i) sum.counts[i] += part->counts[i];
  }
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  write_time(json, "as_of", sum.clock);
  json.name("users"), json.unsigned_integer(sum.users);
  write_counts(json, request, sum);
  json.end_object();
  return json_answer(std::move(body));
}

void count_audiences(const Surroundings& around, const Request& request, const Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  BodyReader body(request.body);
  const auto texts = body.texts("expressions", 1, kMaxExpressions, audience::kMaxExpressionBytes, true, false).value_or(std::vector<std::string>());
  CountRequest wanted;
  wanted.overlaps = body.boolean("overlaps").value_or(false);
  if (wanted.overlaps && texts.size() > kMaxOverlaps) body.refuse("/expressions", "at most " + std::to_string(kMaxOverlaps) + " with overlaps");
  Mistakes mistakes = body.finish();
  std::vector<std::string> at;
  for (size_t i = 0; i < texts.size(); ++i) at.push_back("/expressions/" + std::to_string(i));
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (reach->is_stale) return responder.send(definitions_change());
  if (mistakes.empty()) wanted.query = AudienceQuery::make(texts, *around.definitions(), at, mistakes);
  if (!mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const size_t n = texts.size();
  Gathering<CountPart>::Plan plan;
  plan.ask = [wanted](serving::ShardReader& reader, CountPart& part) { return count_slice(reader, wanted, part); };
  plan.question = [body = request.body, definitions = wanted.query->definitions()](const std::vector<int32_t>&) {
    return Neighbours::Question{.method = "POST", .target = "/v1/audiences/count", .definitions = definitions, .body = body};
  };
  plan.read = [n, overlaps = wanted.overlaps](const std::vector<int32_t>&, const Response& answer, CountPart& part) {
    CountAnswer counted;
    if (!read_counts(answer.body, n, overlaps, counted)) return false;
    part.clock = counted.clock;
    part.users = counted.users;
    part.counts = std::move(counted.counts);
    return true;
  };
  plan.done = [wanted, responder](const auto& parts) { responder.send(count_answer(wanted, parts)); };
  Gathering<CountPart>::run(around, *reach, std::move(plan));
}

// ---- pages: one partition after the other

struct PageJob {
  const Surroundings& around;
  Responder responder;
  std::shared_ptr<const AudienceQuery> query;
  Reach reach;
  size_t at = 0;  // in reach.partitions: whose turn it is
  size_t limit = 0;
  AudienceCursor next;
  Time clock = kNoTime;
  std::vector<std::string> user_ids;
};

void answer_page(const PageJob& job, bool has_more) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  write_time(json, "as_of", job.clock);
  json.name("user_ids"), json.begin_array();
  for (const auto& id : job.user_ids) json.string(id);
  json.end_array();
  if (has_more) json.name("cursor"), json.string(to_text(job.next));
  json.end_object();
  job.responder.send(json_answer(std::move(body)));
}

void visit_partition(const std::shared_ptr<PageJob>& job);

void note_clock(PageJob& job, Time clock) {
  if (clock != kNoTime) job.clock = job.clock == kNoTime ? clock : std::min(job.clock, clock);
}

// The partition has no more users: on to the next one.
void end_partition(const std::shared_ptr<PageJob>& job) {
  const bool is_last = ++job->at == job->reach.partitions.size();
  if (!is_last) job->next.partition = job->reach.partitions[job->at];
  job->next.user = 0;
  if (is_last || job->user_ids.size() == job->limit) return answer_page(*job, !is_last);
  visit_partition(job);
}

bool page_slice(serving::ShardReader& reader, const std::shared_ptr<PageJob>& job) {
  if (!job->query->fits(reader)) return job->responder.send(definitions_change()), true;
  note_clock(*job, reader.shard().clock());
  const auto until = std::chrono::steady_clock::now() + kReadSlice;
  std::vector<audience::UserNumber> users;
  do {
    users.clear();
    job->next.user =
        audience::page(reader.shard().audiences(), job->query->expressions().front(), job->next.user, job->limit - job->user_ids.size(), 1, users);
    for (const auto user : users) job->user_ids.emplace_back(reader.shard().user_id(user));
    if (job->next.user == audience::kNoUser) break;
    if (job->user_ids.size() == job->limit) return answer_page(*job, true), true;
  } while (std::chrono::steady_clock::now() < until);
  if (job->next.user != audience::kNoUser) return false;
  return end_partition(job), true;
}

// What the instance that has the partition gave.
void take_page(const std::shared_ptr<PageJob>& job, Response response) {
  if (response.status != 200) return job->responder.send(std::move(response));
  PageAnswer answer;
  const bool is_right = read_page(response.body, job->limit - job->user_ids.size(), answer);
  const auto cursor = answer.cursor ? parse_audience_cursor(*answer.cursor) : std::nullopt;
  const bool goes_on =
      cursor && cursor->fingerprint == job->next.fingerprint && cursor->partition == job->next.partition && cursor->user > job->next.user;
  if (!is_right || (answer.cursor && !goes_on)) return job->responder.send(away_problem("another instance gave no page that can be used"));
  note_clock(*job, answer.clock);
  std::move(answer.user_ids.begin(), answer.user_ids.end(), std::back_inserter(job->user_ids));
  if (!cursor) return end_partition(job);
  job->next.user = cursor->user;
  if (job->user_ids.size() == job->limit) return answer_page(*job, true);
  visit_partition(job);
}

std::string page_body(const PageJob& job) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.name("expression"), json.string(job.query->texts().front());
  json.name("limit"), json.unsigned_integer(job.limit - job.user_ids.size());
  json.name("cursor"), json.string(to_text(job.next));
  json.end_object();
  return body;
}

void visit_partition(const std::shared_ptr<PageJob>& job) {
  if (const auto instance = elsewhere(job->around, job->reach, job->next.partition)) {
    Neighbours::Question question{.method = "POST", .target = "/v1/audiences/users", .partitions = {job->next.partition}};
    question.definitions = job->query->definitions();
    question.body = page_body(*job);
    return job->around.neighbours->ask(*instance, std::move(question), [job](Response answer) { take_page(job, std::move(answer)); });
  }
  ask_shard(job->around.directory, job->next.partition, [job](serving::ShardReader* reader) {
    if (reader == nullptr) return job->responder.send(away_problem("a shard is not here at the moment")), true;
    return page_slice(*reader, job);
  });
}

// False: the cursor is not one of this expression and these definitions.
bool start_at(PageJob& job, const std::optional<std::string>& text) {
  if (!text) return true;
  const auto from = parse_audience_cursor(*text);
  if (!from || from->fingerprint != job.next.fingerprint) return false;
  const auto& partitions = job.reach.partitions;
  const auto found = std::lower_bound(partitions.begin(), partitions.end(), from->partition);
  if (found == partitions.end() || *found != from->partition) return false;
  job.at = static_cast<size_t>(found - partitions.begin());
  job.next = *from;
  return true;
}

void page_audience(const Surroundings& around, const Request& request, const Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  BodyReader body(request.body);
  const auto text = body.text("expression", audience::kMaxExpressionBytes, true).value_or("");
  const auto cursor = body.text("cursor", kMaxCursorBytes, false);
  auto job = std::make_shared<PageJob>(PageJob{.around = around, .responder = responder});
  job->limit = body.number("limit", 1, kMaxPage).value_or(100);
  Mistakes mistakes = body.finish();
  auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (reach->is_stale) return responder.send(definitions_change());
  if (mistakes.empty()) job->query = AudienceQuery::make({text}, *around.definitions(), {"/expression"}, mistakes);
  if (!mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  if (reach->partitions.empty()) return responder.send(away_problem("no shard is here at the moment"));
  job->reach = std::move(*reach);
  job->next = {.fingerprint = job->query->fingerprint(), .partition = job->reach.partitions.front()};
  if (!start_at(*job, cursor)) {
    mistakes.push_back({.at = "/cursor", .message = "not a cursor of this expression under the present definitions: begin again without"});
    return responder.send(mistakes_problem(400, mistakes));
  }
  visit_partition(job);
}

}  // namespace

void add_audience_routes(http::Router& router, const Surroundings& around) {
  const http::RouteOptions read{.scope = http::Scope::kRead, .max_body_bytes = kMaxBodyBytes, .gate = refuse_unless_json};
  const auto handler = [&around](void (*handle)(const Surroundings&, const Request&, const Responder&)) {
    return [&around, handle](const Request& request, const Responder& responder) { handle(around, request, responder); };
  };
  router.add("POST", "/v1/audiences/count", handler(count_audiences), read);
  router.add("POST", "/v1/audiences/users", handler(page_audience), read);
  router.add("POST", "/v1/audiences/export", handler(export_audience), read);
  router.add("GET", "/v1/audiences/sets", handler(list_sets), {.scope = http::Scope::kRead});
}

}  // namespace segue::api
