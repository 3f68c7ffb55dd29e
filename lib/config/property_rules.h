// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace segue::config {

// A property of librdkafka that a configuration must not set.
struct RefusedProperty {
  std::string_view name;
  std::string_view reason;  // goes on after "is refused: "
};
std::span<const RefusedProperty> refused_properties();
// Empty when the property may be set.
std::string_view reason_to_refuse(std::string_view property);
// True when a property's value may be a password, key or token.
bool may_be_secret(std::string_view property);

}  // namespace segue::config
