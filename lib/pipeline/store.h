// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "lib/base/result.h"

namespace segue::pipeline {

// Port: one shard's durable state, an ordered map from key bytes to value bytes that changes only by whole checkpoints (docs/formats/state.md
// has the keys). One owner thread calls everything; an implementation may write in the background between seal() and install().
class Store {
 public:
  using Found = std::function<void(size_t index, std::optional<std::string_view> value)>;
  using Visit = std::function<Result<>(std::string_view key, std::string_view value)>;

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // Reads many keys as of the last installed checkpoint. `found` is called once for each index, in no order; the bytes are valid during the call.
  virtual Result<> load(std::span<const std::string_view> keys, const Found& found) = 0;
  // Visits every key that starts with `prefix`, in ascending byte order. Stops at the first error and returns it.
  virtual Result<> scan(std::string_view prefix, const Visit& visit) = 0;

  // Collects the next checkpoint: copies key and value; a later call for the same key wins. Only between install() and the next seal().
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void remove(std::string_view key) = 0;
  // Bytes collected so far.
  virtual size_t collected_bytes() const = 0;
  // Closes the collection and starts to sort and write it, off the caller's thread where the implementation has another.
  virtual void seal() = 0;
  // True when what was sealed is written and install() will not wait. After an error: as after one of install().
  virtual Result<bool> written() = 0;
  // Makes the sealed checkpoint visible and durable in one atomic step, waiting for its write where needed. After an error the
  // previous checkpoint is still the visible one, and the collection is kept: seal() may be called again.
  virtual Result<> install() = 0;
};

}  // namespace segue::pipeline
