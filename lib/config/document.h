// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace segue::config {

// docs/configuration.md.
std::string configuration_as_markdown();

}  // namespace segue::config
