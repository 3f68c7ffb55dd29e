// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace segue::serving {

// Whole lines of one partition's stream, one after the other, and the place behind each of them.
struct FeedLines {
  std::string text;            // every line with its newline
  std::vector<uint64_t> ends;  // rising, one a line
};

// Lines of a stream of bytes, which begins at `begin`. `text` holds whole lines only.
FeedLines lines_of_bytes(std::string text, uint64_t begin);

// What an archive has of a stream: everything between two places.
struct FeedStretch {
  uint64_t begin = 0;  // above the place asked for: what lies between is lost
  uint64_t end = 0;    // above `begin`, not below the last line's
  std::shared_ptr<const FeedLines> lines;
};

// Older transitions than a feed has in memory: from files, or from a topic. Any thread.
class TransitionArchive {
 public:
  TransitionArchive() = default;
  TransitionArchive(const TransitionArchive&) = delete;
  TransitionArchive& operator=(const TransitionArchive&) = delete;
  virtual ~TransitionArchive() = default;

  // What lies behind `from`, at least one line or as far as `until`, and about `most_bytes`. Empty: it is being fetched, the feed's wake() tells when
  // to ask again. `from` above `until` is a place that the feed has not come to: empty where it may still do so. kUsage: `from` is no place of this
  // stream.
  virtual Result<std::optional<FeedStretch>> read(int32_t partition, uint64_t from, uint64_t until, size_t most_bytes) = 0;
};

// An archive whose places are bytes of a stream of lines.
class ByteArchive : public TransitionArchive {
 public:
  Result<std::optional<FeedStretch>> read(int32_t partition, uint64_t from, uint64_t until, size_t most_bytes) final;

 protected:
  // Makes `out` the bytes from `from` on, up to `most` of them; no more is asked for than is committed. Fewer only for lack of them.
  virtual Result<> read_bytes(int32_t partition, uint64_t from, size_t most, std::string& out) = 0;
};

// What is told of a cursor that stands nowhere.
tl::unexpected<Error> no_such_place(int32_t partition, uint64_t place);

}  // namespace segue::serving
