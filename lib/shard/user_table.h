// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/base/prefetch.h"
#include "lib/base/time.h"

namespace segue::shard {

// Users are numbered 0, 1, … in the order in which the log first names them. A number is never given twice.
using UserNumber = uint32_t;
inline constexpr UserNumber kNoUser = UINT32_MAX;
inline constexpr UserNumber kMaxUsers = UINT32_MAX - 1;
inline constexpr uint32_t kNoSlot = UINT32_MAX;

// What is held in memory of every user, cached or not: 32 bytes, the id (2 bytes + its length) and 8 to 16 bytes of table.
struct User {
  const char* id = nullptr;  // length (2 bytes, little-endian), then the bytes; null once erased
  Time deadline = kNever;    // of the user's one timer
  Time armed = kNever;       // when the timer queue will look at the user; at or before `deadline`
  uint32_t slot = kNoSlot;   // in the profile cache
  uint32_t hash = 0;         // low half of hash64(id)
};

// The map of known users: id to number, number to User. Exact: ids are compared, hashes only find them.
class UserTable {
 public:
  UserTable();

  // hash64 of the id, computed once by the caller. kNoUser when unknown.
  UserNumber find(std::string_view id, uint64_t hash) const;
  // Bring into the processor's cache what a later find() reads, in three passes over a batch: each reads what the one before asked for.
  void prefetch_place(uint64_t hash) const { prefetch_bytes(&places_[hash & mask_], 1); }
  void prefetch_user(uint64_t hash) const {
    if (const UserNumber number = places_[hash & mask_].number; number < next_) prefetch_bytes(&(*this)[number], 1);
  }
  void prefetch_id(uint64_t hash) const {
    if (const UserNumber number = places_[hash & mask_].number; number < next_) prefetch_bytes((*this)[number].id, 1);
  }

  // A new user with the next number. Requires that find() gave kNoUser.
  UserNumber add(std::string_view id, uint64_t hash);
  // The same with a number read from a page; numbers in between stay unused until added.
  void restore(std::string_view id, uint64_t hash, UserNumber number);
  // Forgets the id (its bytes are overwritten); the number stays used.
  void erase(UserNumber number);

  User& operator[](UserNumber number) { return blocks_[number / kBlock][number % kBlock]; }
  const User& operator[](UserNumber number) const { return blocks_[number / kBlock][number % kBlock]; }
  std::string_view id(UserNumber number) const;

  UserNumber next_number() const { return next_; }
  void set_next_number(UserNumber next);
  size_t size() const { return live_; }
  size_t memory_bytes() const;

 private:
  struct Place {
    uint32_t hash = 0;            // low half; together with the place's index most of 64 bits
    UserNumber number = kNoUser;  // kNoUser: never used; kErased: passed over
  };
  static constexpr UserNumber kErased = UINT32_MAX - 1;
  static constexpr size_t kBlock = 1 << 14;    // users; blocks instead of one vector, so that growing copies nothing
  static constexpr size_t kIdBlock = 1 << 20;  // bytes of ids

  void put(UserNumber number, std::string_view id, uint64_t hash);
  void grow();
  const char* store_id(std::string_view id);

  std::vector<Place> places_;
  uint64_t mask_;
  std::vector<std::unique_ptr<User[]>> blocks_;
  std::vector<std::unique_ptr<char[]>> id_blocks_;
  size_t id_used_ = kIdBlock;
  UserNumber next_ = 0;
  size_t live_ = 0;
  size_t used_places_ = 0;  // live and erased
};

}  // namespace segue::shard
