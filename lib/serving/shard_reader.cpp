// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_reader.h"

#include "lib/codec/page_codec.h"
#include "lib/codec/state_keys.h"

namespace segue::serving {
namespace {

bool is_known(const shard::Shard& shard, shard::UserNumber user) { return user < shard.next_number() && shard.user(user).id != nullptr; }

}  // namespace

Result<const profile::Profile*> ShardReader::find(std::string_view user_id) { return find(shard().find_user(user_id)); }

Result<const profile::Profile*> ShardReader::find(shard::UserNumber user) {
  const profile::Profile* answer = nullptr;
  SEGUE_TRY(find_many(std::span(&user, 1), [&](size_t, shard::UserNumber, const profile::Profile* profile) { answer = profile; }));
  return answer;
}

Result<> ShardReader::find_many(std::span<const std::string_view> user_ids, const Found& found) {
  users_.clear();
  for (const std::string_view id : user_ids) users_.push_back(shard().find_user(id));
  return find_many(std::span<const shard::UserNumber>(users_), found);
}

Result<> ShardReader::find_many(std::span<const shard::UserNumber> users, const Found& found) {
  const shard::Shard& shard = this->shard();
  missing_.clear();
  for (size_t i = 0; i < users.size(); ++i) {
    if (!is_known(shard, users[i])) {
      found(i, shard::kNoUser, nullptr);
    } else if (const uint32_t slot = shard.user(users[i]).slot; slot != shard::kNoSlot) {
      found(i, users[i], &shard.cache().shaped(slot, decoded_));
    } else {
      missing_.push_back(i);
    }
  }
  if (missing_.empty()) return {};
  if (keys_.size() < missing_.size()) keys_.resize(missing_.size());
  key_views_.clear();
  for (size_t i = 0; i < missing_.size(); ++i) {
    codec::make_page_key(shard.user_id(users[missing_[i]]), keys_[i]);
    key_views_.push_back(keys_[i]);
  }
  Result<> decoded;
  SEGUE_TRY(store_.load(key_views_, [&](size_t i, std::optional<std::string_view> page) {
    if (!decoded) return;
    decoded =
        page ? codec::decode_page(*page, definitions().plan(), decoded_) : Result<>(fail(ErrorClass::kData, "the page of a known user is missing"));
    if (decoded) found(missing_[i], users[missing_[i]], &decoded_);
  }));
  return decoded;
}

}  // namespace segue::serving
