// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/profile_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/base/hash.h"
#include "lib/codec/json_writer.h"
#include "lib/codec/page_codec.h"
#include "lib/profile/decay.h"

namespace segue::codec {
namespace {

using profile::Interest;
using profile::Plan;
using profile::Profile;
using profile::Scope;
using profile::Window;

// 64-bit numbers beyond 2^53 do not survive most JSON readers.
std::string hex(uint64_t value) {
  std::string digits(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  return digits;
}

void write_time(JsonWriter& w, std::string_view name, Time t) {
  if (t == kNoTime || t == kNever) return;
  w.name(name);
  w.integer(to_ms(t));
}

void write_number(JsonWriter& w, double value) {
  if (std::isfinite(value)) return w.number(value);
  w.null();
}

void write_counts(JsonWriter& w, const Profile& p) {
  w.name("counts");
  w.begin_object();
  for (size_t i = 0; i < event::kEventTypes; ++i) {
    if (p.counts[i] == 0) continue;
    w.name(event::kEventTypeNames[i]);
    w.unsigned_integer(p.counts[i]);
  }
  w.end_object();
  w.name("last");
  w.begin_object();
  for (size_t i = 0; i < event::kEventTypes; ++i) write_time(w, event::kEventTypeNames[i], p.last[i]);
  w.end_object();
}

void write_window_head(JsonWriter& w, const Window& window) {
  w.name("window");
  w.string(hex(window.id));
  w.name("type");
  w.string(event::name(window.type));
  w.name("length_ms");
  w.integer(window.length.count());
}

// The times of the windows of one scope; windows without any are left out.
void write_recent(JsonWriter& w, const std::vector<Time>& recent, Scope scope, const Plan& plan) {
  for (const Window& window : plan.windows) {
    if (window.scope != scope || window.keep == 0 || size_t{window.slot} + window.keep > recent.size()) continue;
    if (recent[window.slot] == kNoTime) continue;
    w.begin_object();
    write_window_head(w, window);
    w.name("times");
    w.begin_array();
    for (size_t i = 0; i < window.keep && recent[window.slot + i] != kNoTime; ++i) w.integer(to_ms(recent[window.slot + i]));
    w.end_array();
    w.end_object();
  }
}

void write_tiles(JsonWriter& w, const Profile& p, const Plan& plan) {
  for (auto first = p.tiles.begin(); first != p.tiles.end();) {
    const auto last = std::find_if(first, p.tiles.end(), [&](const profile::Tile& t) { return t.window != first->window; });
    const Window& window = plan.windows[first->window];
    w.begin_object();
    write_window_head(w, window);
    w.name("tile_ms");
    w.integer(window.tile_width.count());
    w.name("tiles");
    w.begin_array();
    for (; first != last; ++first) {
      w.begin_object();
      w.name("start");
      w.integer(first->index * window.tile_width.count());
      w.name("count");
      w.unsigned_integer(first->count);
      w.name("sum_micros");
      w.integer(first->sum.micros);
      w.end_object();
    }
    w.end_array();
    w.end_object();
  }
}

double worth(const Profile& p, double stored, Time as_of, const Plan& plan) {
  if (p.landmark == kNoTime || as_of == kNoTime) return stored;
  return profile::weight_at(stored, as_of, p.landmark, plan.half_life);
}

void write_interest(JsonWriter& w, const Profile& p, const Interest& interest, Scope scope, const Plan& plan, Time as_of) {
  static constexpr std::array<std::string_view, 4> kCountNames = {"views", "clicks", "carts", "purchases"};
  w.begin_object();
  w.name("name");
  w.string(interest.name);
  w.name("weight");
  write_number(w, worth(p, interest.weight, as_of, plan));
  for (size_t i = 0; i < interest.counts.size(); ++i) {
    if (interest.counts[i] == 0) continue;
    w.name(kCountNames[i]);
    w.unsigned_integer(interest.counts[i]);
  }
  write_time(w, "last_seen", interest.last_seen);
  write_time(w, "first_purchase", interest.first_purchase);
  write_time(w, "last_purchase", interest.last_purchase);
  if (std::any_of(interest.recent.begin(), interest.recent.end(), [](Time t) { return t != kNoTime; })) {
    w.name("windows");
    w.begin_array();
    write_recent(w, interest.recent, scope, plan);
    w.end_array();
  }
  w.end_object();
}

void write_interests(JsonWriter& w, const Profile& p, const Plan& plan, Time as_of) {
  static constexpr std::array<std::string_view, profile::kInterestScopes> kNames = {"category_affinity", "brand_affinity", "item_affinity"};
  for (size_t i = 0; i < profile::kInterestScopes; ++i) {
    w.name(kNames[i]);
    w.begin_array();
    for (const Interest& interest : p.interests[i]) write_interest(w, p, interest, static_cast<Scope>(i + 1), plan, as_of);
    w.end_array();
  }
}

void write_vector(JsonWriter& w, const Profile& p, const Plan& plan, Time as_of) {
  w.name("vector");
  w.begin_array();
  char digits[32];
  for (const float x : p.vector) {
    const auto now = static_cast<float>(worth(p, static_cast<double>(x), as_of, plan));
    if (!std::isfinite(now)) {
      w.null();
      continue;
    }
    w.raw({digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, now).ptr - digits)});
  }
  w.end_array();
}

void write_cart(JsonWriter& w, const Profile& p) {
  w.name("cart");
  w.begin_array();
  for (const auto& line : p.cart) {
    w.begin_object();
    w.name("item_id");
    w.string(line.item_id);
    write_time(w, "added", line.added);
    w.end_object();
  }
  w.end_array();
}

void write_traits(JsonWriter& w, const Profile& p) {
  w.name("traits");
  w.begin_object();
  for (const auto& trait : p.traits) {
    w.foreign_name(trait.name);
    w.begin_object();
    w.name("value");
    if (const auto* truth = std::get_if<bool>(&trait.value)) w.boolean(*truth);
    if (const auto* number = std::get_if<double>(&trait.value)) write_number(w, *number);
    if (const auto* text = std::get_if<std::string>(&trait.value)) w.string(*text);
    write_time(w, "stated", trait.stated);
    w.end_object();
  }
  w.end_object();
}

void write_members(JsonWriter& w, const Profile& p, const ProfileNames& names) {
  w.name("members");
  w.begin_array();
  for (size_t i = 0; i < names.definitions.size(); ++i)
    if (p.members[i]) w.string(names.definitions[i]);
  w.end_array();
  w.name("keyed_members");
  w.begin_array();
  for (const auto& member : p.keyed_members) {
    w.begin_object();
    w.name("name");
    w.string(names.definitions[member.definition]);
    w.name("key");
    w.string(member.key);
    w.end_object();
  }
  w.end_array();
}

void write_left_segments(JsonWriter& w, const Profile& p, const ProfileNames& names) {
  w.name("left_segments");
  w.begin_array();
  for (const auto& left : p.left_segments) {
    w.begin_object();
    w.name("name");
    w.string(names.definitions[left.definition]);
    write_time(w, "at", left.at);
    w.end_object();
  }
  w.end_array();
}

void write_past_moves(JsonWriter& w, const Profile& p, const ProfileNames& names) {
  static constexpr std::array<std::string_view, 3> kCauses = {"event", "timer", "definitions"};
  w.name("past_moves");
  w.begin_array();
  for (const auto& move : p.past_moves) {
    w.begin_object();
    w.name("n");
    w.unsigned_integer(move.n);
    w.name("name");
    w.string(names.moves[move.move]);
    w.name("from");
    w.string(names.stages[move.from]);
    w.name("to");
    w.string(names.stages[move.to]);
    write_time(w, "at", move.at);
    w.name("cause");
    w.string(kCauses[static_cast<size_t>(move.cause)]);
    if (!move.event_id.empty()) {
      w.name("event_id");
      w.string(move.event_id);
    }
    w.name("compared");
    w.begin_array();
    for (size_t i = 0; i < move.compared_count; ++i) write_number(w, move.compared[i]);
    w.end_array();
    w.end_object();
  }
  w.end_array();
}

void write_summary(JsonWriter& w, const Profile& p, const ProfileNames& names) {
  w.name("n");
  w.unsigned_integer(p.outputs);
  w.name("stage");
  // Definitions without a lifecycle have no stages.
  if (p.stage < names.stages.size()) w.string(names.stages[p.stage]);
  if (p.stage >= names.stages.size()) w.null();
  write_time(w, "stage_since", p.stage_since);
  write_time(w, "deadline", p.deadline);
  write_time(w, "erased_until", p.erased_until);
  write_time(w, "first_seen", p.first_seen);
  write_time(w, "last_seen", p.last_seen);
  write_time(w, "last_purchase", p.last_purchase);
  w.name("orders");
  w.unsigned_integer(p.orders);
  w.name("spend_micros");
  w.integer(p.spend.micros);
  w.name("refunded_micros");
  w.integer(p.refunded.micros);
}

}  // namespace

void append_profile_json(std::string_view user_id, const Profile& profile, const Plan& plan, const ProfileNames& names, Time as_of,
                         std::string& out) {
  if (as_of == kNoTime) as_of = profile.last_seen;
  JsonWriter w(out);
  w.begin_object();
  w.name("user_id");
  w.string(user_id);
  write_summary(w, profile, names);
  write_counts(w, profile);
  write_interests(w, profile, plan, as_of);
  write_vector(w, profile, plan, as_of);
  write_cart(w, profile);
  write_traits(w, profile);
  write_members(w, profile, names);
  write_left_segments(w, profile, names);
  w.name("windows");
  w.begin_array();
  write_recent(w, profile.recent, Scope::kUser, plan);
  write_tiles(w, profile, plan);
  w.end_array();
  write_past_moves(w, profile, names);
  w.name("event_ids");
  w.unsigned_integer(profile.event_ids.size());
  write_time(w, "landmark", profile.landmark);
  std::string page;
  encode_page(profile, 0, plan, page);
  w.name("page_hash");
  w.string(hex(hash64(page)));
  w.end_object();
}

}  // namespace segue::codec
