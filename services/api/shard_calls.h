// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "lib/serving/shard_reader.h"
#include "services/api/context.h"
#include "services/api/neighbours.h"
#include "services/api/reach.h"

namespace segue::api {

// Calls `read` as a Read of the partition's shard; with null, at once, where the shard is not here or takes no more.
inline void ask_shard(const serving::ShardDirectory& directory, int32_t partition, serving::Read read) {
  const auto mailbox = directory.local(partition);
  // post() leaves us nothing to call when it refuses.
  auto shared = std::make_shared<serving::Read>(std::move(read));
  if (!mailbox || !mailbox->post([shared](serving::ShardReader* reader) { return (*shared)(reader); })) (*shared)(nullptr);
}

// The instance to ask for a partition; none where the shard is here, where nobody is known to have it, or where nobody may be asked.
inline std::optional<serving::Instance> elsewhere(const Surroundings& around, const Reach& reach, int32_t partition) {
  if (reach.only_here || around.neighbours == nullptr || around.directory.local(partition)) return {};
  return around.directory.remote(partition);
}

// Sends a request about one user on as it is, and its answer back. False: to be answered here.
inline bool send_on(const Surroundings& around, const Reach& reach, int32_t partition, const http::Request& request,
                    const http::Responder& responder) {
  const auto instance = elsewhere(around, reach, partition);
  if (!instance) return false;
  Neighbours::Question question{.target = request.path + (request.query.empty() ? "" : "?" + request.query), .partitions = {partition}};
  around.neighbours->ask(*instance, std::move(question), [responder](http::Response answer) { responder.send(std::move(answer)); });
  return true;
}

// The parts of an answer: one from each shard that is here, one from each other instance for all that it has; each at its own time on its own thread.
template <class Part>
class Gathering : public std::enable_shared_from_this<Gathering<Part>> {
 public:
  struct Plan {
    // Fills the part of a shard; true when it is done, as a Read is.
    std::function<bool(serving::ShardReader& reader, Part& part)> ask;
    // What another instance is asked for these partitions, and how its answer of status 200 becomes a part; false: it is not what it should be.
    std::function<Neighbours::Question(const std::vector<int32_t>& partitions)> question;
    std::function<bool(const std::vector<int32_t>& partitions, const http::Response& answer, Part& part)> read;
    // The parts; empty where somebody did not answer. Called once, by whoever is last.
    std::function<void(std::vector<std::optional<Part>> parts)> done;
  };

  static void run(const Surroundings& around, const Reach& reach, Plan plan) {
    std::vector<int32_t> here;  // or nowhere: asking says so
    std::vector<std::pair<serving::Instance, std::vector<int32_t>>> others;
    std::map<std::string, size_t> open;  // by address, into others
    for (const int32_t partition : reach.partitions) {
      const auto instance = elsewhere(around, reach, partition);
      if (!instance) {
        here.push_back(partition);
        continue;
      }
      const auto found = open.find(instance->address);
      if (found != open.end() && others[found->second].second.size() < kMaxReach) {
        others[found->second].second.push_back(partition);
        continue;
      }
      open[instance->address] = others.size();
      others.push_back({*instance, {partition}});
    }
    if (here.empty() && others.empty()) return plan.done({});
    const auto self = std::shared_ptr<Gathering>(new Gathering(here.size() + others.size(), std::move(plan)));
    // Theirs first: it takes longer.
    for (size_t i = 0; i < others.size(); ++i) self->ask_instance(around, here.size() + i, others[i].first, others[i].second);
    for (size_t i = 0; i < here.size(); ++i)
      ask_shard(around.directory, here[i], [self, i](serving::ShardReader* reader) {
        if (reader != nullptr && !self->plan_.ask(*reader, self->parts_[i])) return false;
        self->finish(i, reader != nullptr);
        return true;
      });
  }

 private:
  Gathering(size_t parts, Plan plan) : parts_(parts), plan_(std::move(plan)), answered_(parts), left_(parts) {}

  void ask_instance(const Surroundings& around, size_t i, const serving::Instance& instance, const std::vector<int32_t>& partitions) {
    auto question = plan_.question(partitions);
    question.partitions = partitions;
    around.neighbours->ask(instance, std::move(question), [self = this->shared_from_this(), i, partitions](const http::Response& answer) {
      self->finish(i, answer.status == 200 && self->plan_.read(partitions, answer, self->parts_[i]));
    });
  }

  void finish(size_t i, bool answered) {
    {
      const std::lock_guard lock(mutex_);
      answered_[i] = answered;
      if (--left_ != 0) return;
    }
    std::vector<std::optional<Part>> parts(parts_.size());
    for (size_t p = 0; p < parts_.size(); ++p)
      if (answered_[p]) parts[p] = std::move(parts_[p]);
    plan_.done(std::move(parts));
  }

  std::vector<Part> parts_;  // each written by whom it was asked of alone
  const Plan plan_;
  std::mutex mutex_;
  std::vector<bool> answered_;  // guarded by mutex_
  size_t left_;                 // guarded by mutex_
};

}  // namespace segue::api
