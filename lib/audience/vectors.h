// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "lib/audience/bitmap.h"
#include "lib/profile/profile.h"

namespace segue::audience {

using InterestVector = std::array<float, profile::kVectorSize>;

// The cosine of two interest vectors; 0 where one is zero. Whatever their landmarks: all weights of a vector fall alike.
double cosine(const InterestVector& a, const InterestVector& b);

// The directions of interest vectors in bytes, by user number: 68 bytes a user. A zero vector is none.
class Vectors {
 public:
  void set(UserNumber user, const InterestVector& vector);
  void remove(UserNumber user);
  bool has(UserNumber user) const;
  // No user has this number or a higher one.
  UserNumber end() const { return static_cast<UserNumber>(blocks_.size() * kBlock); }
  size_t memory_bytes() const;

 private:
  friend class SimilarSearch;
  static constexpr size_t kBlock = 4096;
  // Bytes are scaled so that the largest is 127 or -127. Hence the length is between 127 and 127 * 8.
  struct Block {
    alignas(32) std::array<std::array<int8_t, profile::kVectorSize>, kBlock> bytes = {};
    std::array<float, kBlock> inverse_length = {};  // 0: none
  };

  std::vector<std::unique_ptr<Block>> blocks_;  // null: nobody
};

// The users whose vectors are nearest to one, by the directions in bytes, found in slices. Which of them are nearest indeed is for the caller to see
// by cosine() of the vectors themselves: ask for some times as many candidates as are wanted (tests/unit/audience/vectors_test.cpp).
class SimilarSearch {
 public:
  // `except`: the user himself; kNoUser for none. Finds nobody for a zero vector.
  SimilarSearch(const InterestVector& vector, size_t candidates, UserNumber except);

  // Looks at the users numbered [from, from + count). Returns where to go on; kNoUser at the end. 65,536 take about a millisecond.
  UserNumber scan(const Vectors& vectors, UserNumber from, size_t count);
  // Nearest first; of equals the lower number.
  std::vector<UserNumber> candidates() const;

 private:
  struct Candidate {
    float score = 0;
    UserNumber user = kNoUser;
    bool operator<(const Candidate& other) const { return score != other.score ? score > other.score : user < other.user; }
  };
  void take(const Candidate& candidate);

  std::array<int8_t, profile::kVectorSize> bytes_ = {};
  bool is_zero_ = false;
  size_t wanted_;
  UserNumber except_;
  std::vector<Candidate> heap_;  // the farthest first
};

}  // namespace segue::audience
