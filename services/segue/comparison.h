// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/base/result.h"
#include "services/replay/replay.h"
#include "services/segue/state_reader.h"

namespace segue::program {

// The two sides of a comparison.
enum Side : size_t { kOld, kNew };

// What two replays of one log under different definitions differ in. Memory: about 80 bytes a user.
class Comparison {
 public:
  // Users shown as examples.
  static constexpr size_t kExamples = 10;

  // Reads both state directories, which must be finished.
  static Result<Comparison> make(const std::array<std::string, 2>& directories, const std::array<const replay::ReplaySummary*, 2>& summaries);

  // How often a move, segment or tag of a name happened on each side; names of either.
  struct Count {
    std::array<uint64_t, 2> happened = {};
  };
  std::map<std::string, Count> moves;
  std::map<std::string, Count> entered;
  std::array<std::vector<std::string>, 2> stages;
  std::vector<std::vector<uint64_t>> users_by_stage;  // [old stage][new stage]
  uint64_t users = 0;
  uint64_t users_with_other_moves = 0;

  struct Example {
    std::string user_id;
    std::array<std::vector<std::string>, 2> moves;  // "2026-03-02 14:05:11 new → buyer"
  };
  std::vector<Example> examples;  // the first by the bytes of the user id

 private:
  struct UserMoves {
    std::array<uint64_t, 2> hash = {};  // of the sequence of (move, at); 0: none
    std::array<uint8_t, 2> stage = {};
    uint8_t sides = 0;  // bit: has a page there
  };
  using Users = std::unordered_map<uint64_t, UserMoves>;  // by hash64 of the id

  static Result<> read_moves(StateReader& reader, Side side, Users& users);
  static Result<> read_stages(StateReader& reader, Side side, Users& users);
  Result<> find_examples(std::array<std::unique_ptr<StateReader>, 2>& readers, const Users& users);
  void count_users(const Users& users);
};

}  // namespace segue::program
