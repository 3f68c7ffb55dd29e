// SPDX-License-Identifier: Apache-2.0
#include "services/segue/definitions_file.h"

#include "lib/base/assert.h"
#include "lib/filelog/posix_file_system.h"
#include "services/segue/console.h"
#include "services/tools/display.h"

namespace segue::program {

tl::expected<std::shared_ptr<const segment::Definitions>, int> load_definitions(const std::string& path) {
  filelog::PosixFileSystem files;
  const auto text = filelog::read_file(files, path);
  if (!text) return tl::make_unexpected(complain_about(text.error()));
  auto parsed = segment::Definitions::parse(*text, path);
  if (parsed) return std::make_shared<const segment::Definitions>(std::move(*parsed));
  // The form that editors and terminals jump to.
  std::string lines;
  for (const auto& error : parsed.error())
    lines += tools::printable(error.file + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " + error.message) + "\n";
  print_error(lines);
  const size_t count = parsed.error().size();
  complain(path + ": " + (count == 1 ? "a mistake" : std::to_string(count) + " mistakes") + " in the definitions");
  return tl::make_unexpected(static_cast<int>(kConfig));
}

tl::expected<std::shared_ptr<const segment::Definitions>, int> load_or_built_in_definitions(const std::string& path) {
  if (path.empty()) return built_in_definitions();
  return load_definitions(path);
}

std::shared_ptr<const segment::Definitions> built_in_definitions() {
  auto parsed = segment::Definitions::parse(segment::default_definitions(), "built-in definitions");
  SEGUE_ASSERT(parsed.has_value());
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

}  // namespace segue::program
