// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/result.h"
#include "lib/event/event_type.h"

namespace segue::codec {

// Which of our types the name of a track call stands for (docs/collector.md). Case does not matter, and '_' is a space.
class TrackingNames {
 public:
  // Names of the e-commerce specification, version 2.
  TrackingNames();

  // Adds a name, or gives it another type; "none" takes it away. kUsage for a type that is none of ours, and for identify and delete: a write key
  // is no permission to erase.
  Result<> set(std::string_view name, std::string_view type);
  // The same for a whole table.
  Result<> set_all(const std::map<std::string, std::string>& table);

  std::optional<event::EventType> find(std::string_view name) const;

 private:
  static constexpr size_t kMaxNameBytes = 128;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, event::EventType, Hash, std::equal_to<>> types_;
};

}  // namespace segue::codec
