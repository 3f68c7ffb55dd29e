// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/codec/json_writer.h"
#include "lib/profile/profile.h"
#include "lib/segment/definitions.h"

// A user as docs/api.md shows him.
namespace segue::api {

enum class Part : uint8_t { kLifecycle, kSegments, kTags, kTraits, kCounters, kAffinities, kVector, kCart, kHistory };
inline constexpr size_t kParts = 9;
inline constexpr std::array<std::string_view, kParts> kPartNames = {"lifecycle",  "segments", "tags", "traits", "counters",
                                                                    "affinities", "vector",   "cart", "history"};

// What is wanted of a profile.
struct ProfileSelection {
  std::bitset<kParts> parts = 0b0'1011'1111;  // all but vector and history
  bool explain = false;
  bool sources = false;

  bool has(Part part) const { return parts[static_cast<size_t>(part)]; }
};

// One user at one moment of the shard.
struct UserMoment {
  std::string_view user_id;
  const profile::Profile& profile;
  const segment::Definitions& definitions;
  int32_t partition = 0;
  Time as_of = kNoTime;  // the shard's clock
};

// One JSON object, as of GET /v1/profiles/{user_id}.
void append_profile(const UserMoment& user, const ProfileSelection& selection, std::string& out);
// As of GET /v1/profiles/{user_id}/history.
void append_history(const UserMoment& user, std::string& out);

// Pieces of these, each the value of a member.
void write_history(codec::JsonWriter& json, const UserMoment& user, bool with_user);
void write_explanation(codec::JsonWriter& json, const UserMoment& user, const std::vector<segment::Explanation>& explanations);
void write_sources(codec::JsonWriter& json, const UserMoment& user, const ProfileSelection& selection);
// The named time; nothing where there is none.
void write_time(codec::JsonWriter& json, std::string_view name, Time t);
// null where it is not finite.
void write_number(codec::JsonWriter& json, double value);

bool is_tag(const segment::Definition& definition);

}  // namespace segue::api
