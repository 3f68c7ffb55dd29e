// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/event/event.h"
#include "lib/profile/plan.h"
#include "lib/profile/profile.h"
#include "lib/segment/change.h"

namespace segue::segment {

// A mistake in a definitions file: where (from 1; columns count characters), what was found and what was expected.
struct DefinitionError {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
};
// "file:line:column: message", one line each.
std::string to_string(const std::vector<DefinitionError>& errors);

enum class DefinitionKind : uint8_t { kSegment, kKeyedSegment, kTag, kTopTags };
enum class Reentry : uint8_t { kAlways, kOnce, kAfter };

inline constexpr uint32_t kNoCondition = UINT32_MAX;

// A condition as written, and where its compiled form begins.
struct Condition {
  std::string text;              // empty: always true
  std::string canonical;         // the same in one form, its traits written out: what the hash is taken of
  uint32_t root = kNoCondition;  // node of the compiled form
  uint32_t inputs = 0;           // bit t: an event of type t can change its value
  uint32_t shared_inputs = 0;    // keyed: the types that can change it for keys which the event does not name
  bool uses_stage = false;       // a move can change its value
};

// A segment or a tag.
struct Definition {
  DefinitionKind kind = DefinitionKind::kSegment;
  std::string name;  // UTF-8. kTopTags: the pattern, such as "cat:*"
  Condition when;    // kTopTags: empty
  bool announce = true;
  Reentry reentry = Reentry::kAlways;
  Duration reentry_after{0};                     // kAfter
  profile::Scope scope = profile::Scope::kUser;  // kKeyedSegment and kTopTags: what the key is
  uint16_t top = 0;                              // kTopTags: how many
  std::string prefix, suffix;                    // kTopTags: around the key
};

// A lifecycle move out of one stage. A move written with several stages under `from` is several of these, in the order of the stages.
struct Move {
  std::string name;
  uint8_t from = 0;
  uint8_t to = 0;
  bool announce = true;
  uint32_t on = 0;  // bit t: moves on an event of type t; 0: moves when time makes the condition true
  Condition when;
};

// What a compared value is: a duration and a time are in milliseconds.
enum class ComparedUnit : uint8_t { kNumber, kDuration, kTime };

// One comparison of a condition, as it stands.
struct LeafExplanation {
  std::string text;  // as in the file
  bool value = false;
  double compared = 0;  // left-hand value (Change::compared)
  Time holds_until = kNever;
  ComparedUnit unit = ComparedUnit::kNumber;  // of `compared`
};

// How one definition, or one move out of the present stage, stands for a user.
struct Explanation {
  bool is_move = false;
  uint16_t index = 0;                   // of the move or the definition
  std::string key;                      // keyed segments: one explanation for each remembered key; top tags: one for each tag held
  bool value = false;                   // the condition; for an event move: without the event's type
  bool member = false;                  // of the segment, tag
  Time changes_at = kNever;             // when membership would turn, or a time move be taken, if nothing happens
  std::vector<LeafExplanation> leaves;  // empty for moves that need the event at hand
};

struct Compiled;

// Segments, tags and the lifecycle as one file defines them (docs/definitions.md). Immutable; copies share.
//
// Evaluation is pure: its results depend on the profile, the event and the times given, and on nothing else. It also does not depend on what was
// cached: a profile whose holds_until is empty comes out as one that was kept in memory, its deadline included.
class Definitions {
 public:
  static tl::expected<Definitions, std::vector<DefinitionError>> parse(std::string_view yaml, std::string_view file_name);

  // 32 hexadecimal digits over all that can change a result: not over comments, layout or the order of YAML keys.
  const std::string& hash() const;
  // The YAML as given.
  const std::string& text() const;
  // IANA name of the time zone that days and dates are in.
  const std::string& time_zone() const;
  const profile::Plan& plan() const;
  // The parsed content in one fixed form: what the hash is taken of.
  const std::string& canonical() const;

  // Stages, in order; the first is where a user starts. At least one.
  const std::vector<std::string>& stages() const;
  const std::string& stage_name(size_t stage) const;
  // Index: Plan::definition_ids and Profile::members. Segments in the order of the file, then tags.
  const std::vector<Definition>& definitions() const;
  const Definition& definition(size_t index) const;
  // Index: Plan::move_ids.
  const std::vector<Move>& moves() const;
  const Move& move(size_t index) const;
  // What Change::compared holds for a move (is_move) or definition, at most profile::kMaxCompared.
  std::vector<std::string> compared_names(bool is_move, size_t index) const;
  // What these are, one for each name.
  std::vector<ComparedUnit> compared_units(bool is_move, size_t index) const;
  // The user's tags as of now, plain and top, in the order of the file.
  std::vector<std::string> tags(const profile::Profile& profile) const;

  // Requires that `event` was applied to the profile (profile::apply) and that every deadline at or before `clock` has fired. Updates stage,
  // memberships, past_moves, holds_until and deadline; the new deadline is later than `clock`. Appends the changes: moves, then definitions in order.
  // The entries of past_moves that are new have n 0 and stand at its end, in the order of the kMoved changes (only the last kMaxPastMoves stay).
  void on_event(profile::Profile& profile, const event::Event& event, Time clock, std::vector<Change>& out) const;
  // The user's timer: `deadline` is profile.deadline. The new deadline is later than `deadline`; while it is not later than the clock, call again.
  void on_deadline(profile::Profile& profile, Time deadline, std::vector<Change>& out) const;
  // These definitions have come into force for a profile that others shaped: evaluates all as of `clock`, with cause kDefinitions.
  void on_activation(profile::Profile& profile, Time clock, std::vector<Change>& out) const;

  // How every move out of the present stage and every definition stands at `now` (not before the profile's last evaluation).
  std::vector<Explanation> explain(const profile::Profile& profile, Time now) const;

 private:
  explicit Definitions(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const Compiled> compiled_;
};

// The reference job's definitions (examples/definitions/reference.yaml), which ship with the program, and their parsed form.
std::string_view default_definitions();

}  // namespace segue::segment
