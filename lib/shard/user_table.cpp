// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/user_table.h"

#include <cstring>

#include "lib/base/assert.h"
#include "lib/base/hash.h"

namespace segue::shard {

UserTable::UserTable() : places_(1024), mask_(places_.size() - 1) {}

std::string_view UserTable::id(UserNumber number) const {
  const char* at = (*this)[number].id;
  if (at == nullptr) return {};
  uint16_t length;
  std::memcpy(&length, at, sizeof length);
  return {at + sizeof length, length};
}

UserNumber UserTable::find(std::string_view id, uint64_t hash) const {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Place& place = places_[at];
    if (place.number == kNoUser) return kNoUser;
    if (place.hash == tag && place.number != kErased && this->id(place.number) == id) return place.number;
  }
}

UserNumber UserTable::add(std::string_view id, uint64_t hash) {
  const UserNumber number = next_;
  set_next_number(number + 1);
  put(number, id, hash);
  return number;
}

void UserTable::restore(std::string_view id, uint64_t hash, UserNumber number) {
  if (number >= next_) set_next_number(number + 1);
  put(number, id, hash);
}

void UserTable::erase(UserNumber number) {
  User& user = (*this)[number];
  const std::string_view id = this->id(number);
  const uint64_t hash = hash64(id);
  uint64_t at = hash & mask_;
  while (places_[at].number != number) at = (at + 1) & mask_;
  places_[at].number = kErased;
  std::memset(const_cast<char*>(id.data()), 0, id.size());
  user = User{};
  --live_;
}

void UserTable::set_next_number(UserNumber next) {
  SEGUE_ASSERT(next >= next_ && next < kErased);
  next_ = next;
  while (blocks_.size() * kBlock < next_) blocks_.push_back(std::make_unique<User[]>(kBlock));
}

void UserTable::put(UserNumber number, std::string_view id, uint64_t hash) {
  // At most three quarters full: a probe ends after two places on average.
  if ((used_places_ + 1) * 4 > places_.size() * 3) grow();
  User& user = (*this)[number];
  user.id = store_id(id);
  user.hash = static_cast<uint32_t>(hash);
  uint64_t at = hash & mask_;
  while (places_[at].number != kNoUser) at = (at + 1) & mask_;
  places_[at] = {static_cast<uint32_t>(hash >> 32), number};
  ++used_places_;
  ++live_;
}

void UserTable::grow() {
  std::vector<Place> old(places_.size() * 2);
  old.swap(places_);
  mask_ = places_.size() - 1;
  used_places_ = 0;
  for (const Place& place : old) {
    if (place.number == kNoUser || place.number == kErased) continue;
    const uint64_t hash = static_cast<uint64_t>(place.hash) << 32 | (*this)[place.number].hash;
    uint64_t at = hash & mask_;
    while (places_[at].number != kNoUser) at = (at + 1) & mask_;
    places_[at] = place;
    ++used_places_;
  }
}

const char* UserTable::store_id(std::string_view id) {
  const auto length = static_cast<uint16_t>(id.size());
  SEGUE_ASSERT(length == id.size());
  const size_t bytes = sizeof length + id.size();
  if (id_used_ + bytes > kIdBlock) {
    id_blocks_.push_back(std::make_unique<char[]>(kIdBlock));
    id_used_ = 0;
  }
  char* at = id_blocks_.back().get() + id_used_;
  std::memcpy(at, &length, sizeof length);
  std::memcpy(at + sizeof length, id.data(), id.size());
  id_used_ += bytes;
  return at;
}

size_t UserTable::memory_bytes() const {
  return places_.size() * sizeof(Place) + blocks_.size() * kBlock * sizeof(User) + id_blocks_.size() * kIdBlock;
}

}  // namespace segue::shard
