// SPDX-License-Identifier: Apache-2.0
#include "services/engine/state_directory.h"

#include <nlohmann/json.hpp>

#include "lib/pipeline/version.h"

namespace segue::engine {
namespace {

constexpr int kFormat = 1;

}  // namespace

Result<std::optional<EngineDirectory>> read_state_directory(filelog::FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/engine.json";
  const auto exists = files.exists(path);
  if (!exists) return tl::unexpected<Error>(exists.error());
  if (!*exists) return std::nullopt;
  const auto text = filelog::read_file(files, path);
  if (!text) return tl::unexpected<Error>(text.error());
  try {
    const auto stored = nlohmann::json::parse(*text);
    if (const int format = stored.at("format"); format != kFormat)
      return fail(ErrorClass::kData, path + ": format " + std::to_string(format) + " is not known to this program, segue " +
                                         pipeline::kProgramVersion + ": another version wrote it");
    return EngineDirectory{stored.at("application"), stored.at("input"), stored.at("partitions")};
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorClass::kData, path + ": damaged: " + error.what());
  }
}

Result<> describe_state_directory(filelog::FileSystem& files, const Context& context) {
  const std::string& directory = context.config.state.directory;
  const std::string path = directory + "/engine.json";
  const auto replay = files.exists(directory + "/replay.json");
  if (!replay) return tl::unexpected<Error>(replay.error());
  if (*replay) return fail(ErrorClass::kUsage, directory + ": is the state directory of a replay; give the engine one of its own");
  nlohmann::ordered_json description = {{"format", kFormat},
                                        {"program", pipeline::kProgramVersion},
                                        {"application", context.config.application},
                                        {"input", context.config.kafka.input},
                                        {"partitions", context.partitions}};
  const auto stored = read_state_directory(files, directory);
  if (!stored) return tl::unexpected<Error>(stored.error());
  if (*stored) {
    const EngineDirectory& before = **stored;
    if (before.application != context.config.application || before.input != context.config.kafka.input)
      return fail(ErrorClass::kUsage, directory + ": holds the state of application " + before.application + " over topic " + before.input +
                                          "; give this one a directory of its own");
    if (before.partitions == context.partitions) return {};
  }
  return filelog::write_file_atomically(files, path, description.dump(2) + "\n");
}

}  // namespace segue::engine
