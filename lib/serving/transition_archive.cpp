// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/transition_archive.h"

#include <algorithm>
#include <utility>

namespace segue::serving {
namespace {

// Far more than a line can have: names and ids in it are bounded.
constexpr size_t kLongestLine = size_t{1} << 20;

}  // namespace

FeedLines lines_of_bytes(std::string text, uint64_t begin) {
  FeedLines lines;
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) lines.ends.push_back(begin + at + 1);
  lines.text = std::move(text);
  return lines;
}

tl::unexpected<Error> no_such_place(int32_t partition, uint64_t place) {
  return fail(ErrorClass::kUsage, "partition " + std::to_string(partition) + " has no transition that ends at " + std::to_string(place));
}

Result<std::optional<FeedStretch>> ByteArchive::read(int32_t partition, uint64_t from, uint64_t until, size_t most_bytes) {
  if (from > until) return no_such_place(partition, from);
  std::string bytes;
  // With the byte before, which shows whether a line begins here.
  const uint64_t before = from > 0 ? 1 : 0;
  for (size_t most = std::max<size_t>(most_bytes, 1);; most *= 2) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(most, until - from));
    SEGUE_TRY(read_bytes(partition, from - before, wanted + before, bytes));
    if (bytes.size() < wanted + before) return fail(ErrorClass::kData, "transitions of partition " + std::to_string(partition) + " are missing");
    if (before > 0 && bytes.front() != '\n') return no_such_place(partition, from);
    bytes.erase(0, before);
    const size_t last = bytes.rfind('\n');
    if (last != std::string::npos) {
      bytes.resize(last + 1);
      const uint64_t end = from + bytes.size();
      return FeedStretch{from, end, std::make_shared<const FeedLines>(lines_of_bytes(std::move(bytes), from))};
    }
    if (wanted == until - from || most > kLongestLine)
      return fail(ErrorClass::kData, "transitions of partition " + std::to_string(partition) + ": no line ends after " + std::to_string(from));
  }
}

}  // namespace segue::serving
