// SPDX-License-Identifier: Apache-2.0
#include "services/engine/reload.h"

#include "lib/filelog/posix_file_system.h"
#include "lib/telemetry/log.h"

namespace segue::engine {

Result<std::shared_ptr<const segment::Definitions>> load_definitions(const std::string& path) {
  std::string text(segment::default_definitions());
  if (!path.empty()) {
    filelog::PosixFileSystem files;
    auto read = filelog::read_file(files, path);
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    text = std::move(*read);
  }
  auto parsed = segment::Definitions::parse(text, path.empty() ? "built-in definitions" : path);
  if (!parsed) return fail(ErrorClass::kUsage, segment::to_string(parsed.error()));
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

bool reload_definitions(const std::string& path, WantedDefinitions& definitions) {
  auto loaded = load_definitions(path);
  if (!loaded) {
    telemetry::log::error("the definitions stay as they were: the new ones cannot be used", {{"file", path}, {"reason", loaded.error().message}});
    return false;
  }
  if ((*loaded)->hash() == definitions.get()->hash()) {
    telemetry::log::info("the definitions are the same as before", {{"file", path}, {"hash", (*loaded)->hash()}});
    return true;
  }
  telemetry::log::info("new definitions", {{"file", path}, {"hash", (*loaded)->hash()}, {"before", definitions.get()->hash()}});
  definitions.set(std::move(*loaded));
  return true;
}

}  // namespace segue::engine
