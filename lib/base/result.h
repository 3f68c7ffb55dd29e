// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace segue {

// What a caller can do about an error.
enum class ErrorClass : uint8_t {
  kUsage,  // wrong arguments, configuration or definitions: a person has to mend them
  kData,   // bytes that are not what their format says: torn, flipped, of a later version
  kRetry,  // may pass by itself: disk full, broker away
  kStop,   // this shard cannot go on; the message says why
};

struct Error {
  ErrorClass kind = ErrorClass::kStop;
  std::string message;  // one line, lower case, names the file or field; no trailing period
};

template <class T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorClass kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace segue

// Hands an error up: SEGUE_TRY(file.sync());
#define SEGUE_TRY(expression)                                                                                                                  \
  do {                                                                                                                                         \
    if (auto segue_try_result = (expression); !segue_try_result) return ::tl::unexpected<::segue::Error>(std::move(segue_try_result).error()); \
  } while (false)
