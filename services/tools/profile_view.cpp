// SPDX-License-Identifier: Apache-2.0
#include "services/tools/profile_view.h"

#include <algorithm>

#include "lib/codec/json_writer.h"
#include "lib/codec/profile_json.h"
#include "services/tools/display.h"
#include "services/tools/table.h"

namespace segue::tools {
namespace {

using Align = Table::Align;
using segment::DefinitionKind;

constexpr size_t kShownInterests = 8;
constexpr size_t kBarWidth = 24;

std::string ago(Time t, Time now) {
  if (t == kNoTime || t == kNever) return "";
  if (t > now) return "in " + duration_text(t - now);
  return duration_text(now - t) + " ago";
}

std::string when(Time t, const ProfileView& view, const LocalClock& clock) {
  if (t == kNoTime) return "-";
  return clock.text(t) + "   " + ago(t, view.now);
}

std::string heading(std::string_view text, const Terminal& terminal) { return "\n" + terminal.paint.strong(text) + "\n"; }

std::string summary(const ProfileView& view, const LocalClock& clock, const Terminal& terminal) {
  const auto& p = view.profile;
  Table table({Align::kLeft, Align::kLeft});
  if (p.stage < view.definitions.stages().size()) {
    std::string stage = printable(view.definitions.stage_name(p.stage));
    if (p.stage_since != kNoTime) stage += ", since " + clock.text(p.stage_since) + " (" + duration_text(view.now - p.stage_since) + ")";
    table.row({"stage", stage});
  }
  if (p.deadline != kNever) table.row({"next deadline", when(p.deadline, view, clock)});
  table.row({"first seen", when(p.first_seen, view, clock)});
  table.row({"last seen", when(p.last_seen, view, clock)});
  table.row({"last purchase", when(p.last_purchase, view, clock)});
  table.row({"orders", grouped(p.orders)});
  table.row({"spend", money_text(p.spend) + (p.refunded.micros != 0 ? ", refunded " + money_text(p.refunded) : "")});
  std::string counts;
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if (p.counts[i] > 0) counts += (counts.empty() ? "" : ", ") + grouped(p.counts[i]) + " " + std::string(event::kEventTypeNames[i]);
  table.row({"events", counts.empty() ? "none" : counts});
  table.row({"outputs told", grouped(p.outputs)});
  return table.text(terminal);
}

std::string interests(const ProfileView& view, profile::Scope scope, std::string_view title, const Terminal& terminal) {
  const auto& entries = view.profile.interests[profile::interest_index(scope)];
  if (entries.empty()) return {};
  struct Shown {
    const profile::Interest* interest;
    double weight;
  };
  std::vector<Shown> shown;
  for (const auto& entry : entries)
    shown.push_back({&entry, profile::interest_weight(view.profile, entry, std::max(view.now, view.profile.last_seen), view.definitions.plan())});
  std::stable_sort(shown.begin(), shown.end(), [](const Shown& a, const Shown& b) { return a.weight > b.weight; });
  Table table({Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft});
  for (size_t i = 0; i < std::min(shown.size(), kShownInterests); ++i) {
    const auto& counts = shown[i].interest->counts;
    static constexpr std::array<std::array<std::string_view, 2>, 4> kNames = {
        {{"view", "views"}, {"click", "clicks"}, {"cart", "carts"}, {"purchase", "purchases"}}};
    std::string done;
    for (size_t k = 0; k < counts.size(); ++k)
      if (counts[k] > 0) done += (done.empty() ? "" : ", ") + counted(counts[k], kNames[k][0], kNames[k][1]);
    const double share = shown[0].weight > 0 ? shown[i].weight / shown[0].weight : 0;
    table.row({printable(shown[i].interest->name), number_text(shown[i].weight), padded(bar(share, kBarWidth), kBarWidth), done});
  }
  std::string more;
  if (shown.size() > kShownInterests) more = "  " + terminal.paint.faint("and " + std::to_string(shown.size() - kShownInterests) + " more") + "\n";
  return heading(title, terminal) + table.text(terminal) + more;
}

std::string cart_and_traits(const ProfileView& view, const LocalClock& clock, const Terminal& terminal) {
  std::string out;
  if (!view.profile.cart.empty()) {
    Table table({Align::kLeft, Align::kLeft});
    for (const auto& line : view.profile.cart) table.row({printable(line.item_id), "since " + when(line.added, view, clock)});
    out += heading("cart", terminal) + table.text(terminal);
  }
  if (!view.profile.traits.empty()) {
    Table table({Align::kLeft, Align::kLeft, Align::kLeft});
    for (const auto& trait : view.profile.traits) {
      std::string value;
      if (const auto* truth = std::get_if<bool>(&trait.value)) value = *truth ? "true" : "false";
      if (const auto* number = std::get_if<double>(&trait.value)) value = number_text(*number);
      if (const auto* text = std::get_if<std::string>(&trait.value)) value = printable(*text);
      table.row({printable(trait.name), value, "stated " + clock.text(trait.stated)});
    }
    out += heading("traits", terminal) + table.text(terminal);
  }
  return out;
}

std::string memberships(const ProfileView& view, const Terminal& terminal) {
  const auto& definitions = view.definitions.definitions();
  std::string segments, tags;
  const auto add = [](std::string& list, std::string_view name) { list += (list.empty() ? "" : ", ") + printable(name); };
  for (size_t i = 0; i < definitions.size(); ++i)
    if (definitions[i].kind == DefinitionKind::kSegment && view.profile.members[i]) add(segments, definitions[i].name);
  for (const auto& member : view.profile.keyed_members) {
    const auto& definition = definitions[member.definition];
    if (definition.kind == DefinitionKind::kKeyedSegment) add(segments, definition.name + " (" + member.key + ")");
  }
  for (const std::string& tag : view.definitions.tags(view.profile)) add(tags, tag);
  std::string out;
  if (!segments.empty()) out += heading("segments", terminal) + "  " + segments + "\n";
  if (!tags.empty()) out += heading("tags", terminal) + "  " + tags + "\n";
  return out;
}

}  // namespace

std::string profile_text(const ProfileView& view, const LocalClock& clock, const Terminal& terminal) {
  std::string out =
      terminal.paint.strong(printable(view.user_id)) + terminal.paint.faint("   as of " + clock.text(view.now) + " " + clock.zone()) + "\n\n";
  out += summary(view, clock, terminal);
  out += interests(view, profile::Scope::kCategory, "categories", terminal);
  out += interests(view, profile::Scope::kBrand, "brands", terminal);
  out += interests(view, profile::Scope::kItem, "items", terminal);
  out += cart_and_traits(view, clock, terminal);
  out += memberships(view, terminal);
  return out;
}

void append_profile_line(std::string_view user_id, const profile::Profile& profile, const segment::Definitions& definitions, std::string& out) {
  std::vector<std::string> definition_names, move_names;
  for (const auto& definition : definitions.definitions()) definition_names.push_back(definition.name);
  for (const auto& move : definitions.moves()) move_names.push_back(move.name);
  codec::append_profile_json(user_id, profile, definitions.plan(), {definitions.stages(), definition_names, move_names}, kNoTime, out);
  out.pop_back();  // the closing brace
  out.append(",\"tags\":");
  codec::JsonWriter json(out);
  json.begin_array();
  for (const std::string& tag : definitions.tags(profile)) json.string(tag);
  json.end_array();
  out.push_back('}');
}

}  // namespace segue::tools
