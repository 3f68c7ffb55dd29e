// SPDX-License-Identifier: Apache-2.0
#include "services/segue/output_file.h"

#include "lib/filelog/commit_check.h"
#include "lib/filelog/commit_log.h"

namespace segue::program {

Result<> for_each_transition(filelog::FileSystem& files, const std::string& directory, const std::string& shard,
                             const std::function<Result<>(std::string_view line)>& visit) {
  const auto durable = filelog::durable_lengths(files, directory, shard);
  if (!durable) return tl::unexpected<Error>(durable.error());
  if (durable->transitions == 0) return {};
  const std::string path = filelog::shard_paths(directory, shard).transitions;
  const auto file = files.open_to_read(path);
  if (!file) return tl::unexpected<Error>(file.error());
  std::string buffer;  // begins at `offset` of the file; what is before `used` was visited
  size_t used = 0;
  for (uint64_t offset = 0; offset < durable->transitions;) {
    buffer.erase(0, used);
    used = 0;
    const size_t kept = buffer.size();
    buffer.resize(kept + static_cast<size_t>(std::min<uint64_t>(1 << 20, durable->transitions - offset)));
    const auto read = (*file)->read_at(offset, {buffer.data() + kept, buffer.size() - kept});
    if (!read) return tl::unexpected<Error>(read.error());
    if (*read == 0) return fail(ErrorClass::kData, path + ": shorter than its journal says");
    buffer.resize(kept + *read);
    offset += *read;
    for (size_t end = buffer.find('\n', kept); end != std::string::npos; end = buffer.find('\n', used)) {
      SEGUE_TRY(visit(std::string_view(buffer).substr(used, end - used)));
      used = end + 1;
    }
  }
  return {};
}

}  // namespace segue::program
