// SPDX-License-Identifier: Apache-2.0
#include "services/api/similar.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "lib/base/assert.h"
#include "lib/codec/json_writer.h"
#include "lib/event/event.h"
#include "services/api/answers.h"
#include "services/api/problem.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/request_body.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

// Candidates by the bytes of the directions for each that is wanted: the exact cosine then decides among them.
constexpr size_t kCandidates = 4;
constexpr uint64_t kMostSimilar = 100;
constexpr uint64_t kFewSimilar = 10;
// Users of one turn of a shard: about a millisecond.
constexpr size_t kScanSlice = 65'536;

// What the users are compared with.
struct Question {
  std::string user_id;  // whose vector it is: he is not told; empty: nobody's
  audience::InterestVector vector = {};
  size_t limit = 0;
  Time clock = kNoTime;
};

struct SimilarPart {
  std::optional<audience::SimilarSearch> search;
  audience::UserNumber next = 0;
  Time clock = kNoTime;
  std::vector<std::pair<double, std::string>> users;
  std::optional<Error> error;
};

// Six decimals: what a vector loses on its way through another instance is less.
double similarity(const audience::InterestVector& a, const audience::InterestVector& b) { return std::round(audience::cosine(a, b) * 1e6) / 1e6; }

bool search_slice(serving::ShardReader& reader, const Question& question, SimilarPart& part) {
  SEGUE_ASSERT(reader.vectors() != nullptr);
  if (!part.search) part.search.emplace(question.vector, question.limit * kCandidates, reader.shard().find_user(question.user_id));
  part.next = part.search->scan(*reader.vectors(), part.next, kScanSlice);
  if (part.next != audience::kNoUser) return false;
  const auto candidates = part.search->candidates();
  const auto found =
      reader.find_many(std::span<const audience::UserNumber>(candidates), [&](size_t, shard::UserNumber user, const profile::Profile* profile) {
        if (profile != nullptr) part.users.emplace_back(similarity(question.vector, profile->vector), reader.shard().user_id(user));
      });
  if (!found) part.error = found.error();
  part.clock = reader.shard().clock();
  return true;
}

// What other instances are asked.
std::string question_body(const Question& question) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.name("vector"), json.begin_array();
  for (const float x : question.vector) write_number(json, static_cast<double>(x));
  json.end_array();
  json.name("limit"), json.unsigned_integer(question.limit);
  if (!question.user_id.empty()) json.name("except"), json.string(question.user_id);
  json.end_object();
  return body;
}

http::Response similar_answer(const Question& question, bool names_user, std::vector<std::optional<SimilarPart>>& parts) {
  std::vector<std::pair<double, std::string>> users;
  Time clock = question.clock;
  for (auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    if (part->error) return error_problem(*part->error);
    if (!names_user && part->clock != kNoTime) clock = clock == kNoTime ? part->clock : std::min(clock, part->clock);
    users.insert(users.end(), std::make_move_iterator(part->users.begin()), std::make_move_iterator(part->users.end()));
  }
  std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  users.resize(std::min(users.size(), question.limit));
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  if (names_user) json.name("user_id"), json.string(question.user_id);
  write_time(json, "as_of", clock);
  json.name("users"), json.begin_array();
  for (const auto& [similarity, user] : users) {
    json.begin_object();
    json.name("user_id"), json.string(user);
    json.name("similarity"), write_number(json, similarity);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json_answer(std::move(body));
}

void search_all(const Surroundings& around, const Reach& reach, const std::shared_ptr<const Question>& question, bool names_user,
                const http::Responder& responder) {
  if (reach.partitions.empty()) return responder.send(away_problem("no shard is here at the moment"));
  Gathering<SimilarPart>::Plan plan;
  plan.ask = [question](serving::ShardReader& reader, SimilarPart& part) { return search_slice(reader, *question, part); };
  plan.question = [question](const std::vector<int32_t>&) {
    return Neighbours::Question{.method = "POST", .target = "/v1/similar", .body = question_body(*question)};
  };
  plan.read = [question](const std::vector<int32_t>&, const http::Response& answer, SimilarPart& part) {
    return read_similar(answer.body, question->limit, part.clock, part.users);
  };
  plan.done = [question, names_user, responder](auto answered) { responder.send(similar_answer(*question, names_user, answered)); };
  Gathering<SimilarPart>::run(around, reach, std::move(plan));
}

// Takes the user's vector from the instance that has it, and goes on.
void ask_for_vector(const Surroundings& around, const serving::Instance& instance, int32_t partition, const http::Request& request,
                    const std::shared_ptr<Question>& question, const Reach& reach, const http::Responder& responder) {
  constexpr std::string_view kRoute = "/similar";
  Neighbours::Question vector{.target = request.path.substr(0, request.path.size() - kRoute.size()) + "?include=vector", .partitions = {partition}};
  around.neighbours->ask(instance, std::move(vector), [&around, question, reach, responder](http::Response answer) {
    std::vector<float> values;
    if (answer.status != 200) return responder.send(std::move(answer));
    if (!read_vector(answer.body, question->vector.size(), question->clock, values))
      return responder.send(away_problem("the user's shard gave no interest vector"));
    std::copy(values.begin(), values.end(), question->vector.begin());
    search_all(around, reach, question, true, responder);
  });
}

}  // namespace

void find_similar(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  auto question = std::make_shared<Question>();
  question->limit = query.number("limit", 1, kMostSimilar, kFewSimilar);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  question->user_id = request.path_parameter("user_id");
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (around.directory.partitions() == 0) return responder.send(away_problem("no shard is here at the moment"));
  const int32_t partition = around.directory.partition_of(question->user_id);
  if (const auto instance = elsewhere(around, *reach, partition))
    return ask_for_vector(around, *instance, partition, request, question, *reach, responder);
  ask_shard(around.directory, partition, [&around, reach = *reach, question, responder](serving::ShardReader* reader) {
    if (reader == nullptr) return responder.send(away_problem("the user's shard is not here at the moment")), true;
    const auto found = reader->find(question->user_id);
    if (!found) return responder.send(error_problem(found.error())), true;
    if (*found == nullptr) return responder.send(http::problem(404, "no such user (user ids are exact, upper and lower case included)")), true;
    question->vector = (*found)->vector;
    question->clock = reader->shard().clock();
    search_all(around, reach, question, true, responder);
    return true;
  });
}

void find_near(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  auto question = std::make_shared<Question>();
  BodyReader body(request.body);
  const auto vector = body.floats("vector", question->vector.size()).value_or(std::vector<float>());
  question->limit = body.number("limit", 1, kMostSimilar).value_or(kFewSimilar);
  question->user_id = body.text("except", event::kMaxUserIdBytes, false).value_or("");
  if (const auto& mistakes = body.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  std::copy(vector.begin(), vector.end(), question->vector.begin());
  search_all(around, *reach, question, false, responder);
}

}  // namespace segue::api
