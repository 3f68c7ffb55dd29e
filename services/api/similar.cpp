// SPDX-License-Identifier: Apache-2.0
#include "services/api/similar.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "lib/codec/json_writer.h"
#include "services/api/problem.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

// Candidates by the bytes of the directions for each that is wanted: the exact cosine then decides among them.
constexpr size_t kCandidates = 4;
// Users of one turn of a shard: about a millisecond.
constexpr size_t kScanSlice = 65'536;

// Whom the others are compared with.
struct Question {
  std::string user_id;
  int32_t partition = 0;
  audience::UserNumber number = audience::kNoUser;
  audience::InterestVector vector = {};
  size_t limit = 0;
  Time clock = kNoTime;
};

struct SimilarPart {
  std::optional<audience::SimilarSearch> search;
  audience::UserNumber next = 0;
  std::vector<std::pair<double, std::string>> users;
  std::optional<Error> error;
};

bool search_slice(serving::ShardReader& reader, const Question& question, SimilarPart& part) {
  if (reader.vectors() == nullptr) return true;
  const auto except = reader.partition() == question.partition ? question.number : audience::kNoUser;
  if (!part.search) part.search.emplace(question.vector, question.limit * kCandidates, except);
  part.next = part.search->scan(*reader.vectors(), part.next, kScanSlice);
  if (part.next != audience::kNoUser) return false;
  const auto candidates = part.search->candidates();
  const auto found =
      reader.find_many(std::span<const audience::UserNumber>(candidates), [&](size_t, shard::UserNumber user, const profile::Profile* profile) {
        if (profile != nullptr) part.users.emplace_back(audience::cosine(question.vector, profile->vector), reader.shard().user_id(user));
      });
  if (!found) part.error = found.error();
  return true;
}

http::Response similar_answer(const Question& question, std::vector<std::optional<SimilarPart>>& parts) {
  std::vector<std::pair<double, std::string>> users;
  for (auto& part : parts) {
    if (!part) return away_problem("a shard is not here at the moment");
    if (part->error) return error_problem(*part->error);
    users.insert(users.end(), std::make_move_iterator(part->users.begin()), std::make_move_iterator(part->users.end()));
  }
  std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  users.resize(std::min(users.size(), question.limit));
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.name("user_id"), json.string(question.user_id);
  write_time(json, "as_of", question.clock);
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

// Engines, which have partitions elsewhere, keep no vectors: only this process is asked.
void search_all(const Surroundings& around, const std::shared_ptr<const Question>& question, const http::Responder& responder) {
  Reach reach{.only_here = true};
  reach.partitions.resize(around.directory.partitions());
  std::iota(reach.partitions.begin(), reach.partitions.end(), 0);
  Gathering<SimilarPart>::Plan plan;
  plan.ask = [question](serving::ShardReader& reader, SimilarPart& part) { return search_slice(reader, *question, part); };
  plan.done = [question, responder](auto answered) { responder.send(similar_answer(*question, answered)); };
  Gathering<SimilarPart>::run(around, reach, std::move(plan));
}

}  // namespace

void find_similar(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  auto question = std::make_shared<Question>();
  question->limit = query.number("limit", 1, 100, 10);
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  question->user_id = request.path_parameter("user_id");
  const auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (around.directory.partitions() == 0) return responder.send(away_problem("no shard is here at the moment"));
  question->partition = around.directory.partition_of(question->user_id);
  if (send_on(around, *reach, question->partition, request, responder)) return;
  ask_shard(around.directory, question->partition, [&around, question, responder](serving::ShardReader* reader) {
    if (reader == nullptr) return responder.send(away_problem("the user's shard is not here at the moment")), true;
    const auto found = reader->find(question->user_id);
    if (!found) return responder.send(error_problem(found.error())), true;
    if (*found == nullptr) return responder.send(http::problem(404, "no such user (user ids are exact, upper and lower case included)")), true;
    if (reader->vectors() == nullptr) return responder.send(http::problem(409, "this instance keeps no interest vectors in memory")), true;
    question->number = reader->shard().find_user(question->user_id);
    question->vector = (*found)->vector;
    question->clock = reader->shard().clock();
    search_all(around, question, responder);
    return true;
  });
}

}  // namespace segue::api
