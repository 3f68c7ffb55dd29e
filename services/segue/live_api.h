// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lib/config/config.h"
#include "lib/filelog/file_system.h"
#include "services/api/api.h"
#include "services/live/live_engine.h"

namespace segue::program {

using config::kNoListener;

// As the configuration has it.
api::ApiOptions api_options(const config::ApiConfig& config);

// What the API stands on in the embedded mode. `files`, `engine` and `sink` (null: no erasures) outlive the API.
api::Surroundings live_surroundings(filelog::FileSystem& files, live::LiveEngine& engine, intake::EventSink* sink, const std::string& instance);

}  // namespace segue::program
