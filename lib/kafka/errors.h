// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "lib/base/result.h"

namespace segue::kafka {

// What an error of librdkafka or a broker means for us, and what an operator should know. The table is in docs/adr/0006-commit-protocol.md.
struct ErrorMeaning {
  ErrorClass kind = ErrorClass::kRetry;
  std::string_view words;  // empty: librdkafka's own text says enough
};
ErrorMeaning meaning_of(rd_kafka_resp_err_t code);

// "DOING: librdkafka's text (words)"; `detail` replaces librdkafka's general text where it has a better one.
Error error_from(rd_kafka_resp_err_t code, std::string_view doing, std::string_view detail = {});

// A right is missing: only a person can mend that.
bool is_refusal(rd_kafka_resp_err_t code);

// Another producer with the same transactional id was there, or the broker gave our transaction up: the journal tells which.
bool is_fenced(rd_kafka_resp_err_t code);

}  // namespace segue::kafka
