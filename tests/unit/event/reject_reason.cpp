// SPDX-License-Identifier: Apache-2.0
#include "lib/event/reject_reason.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace segue::event {
namespace {

TEST(RejectReason, NamesAreDistinctLabels) {
  EXPECT_EQ(std::set(kRejectReasonNames.begin(), kRejectReasonNames.end()).size(), kRejectReasons);
  for (const std::string_view label : kRejectReasonNames)
    EXPECT_TRUE(!label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
      return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    })) << label;
}

// Stored in dead letters and used as metric labels.
TEST(RejectReason, NamesBelongToTheirReasons) {
  EXPECT_EQ(name(RejectReason::kInvalidJson), "invalid_json");
  EXPECT_EQ(name(RejectReason::kUnknownType), "unknown_type");
  EXPECT_EQ(name(RejectReason::kInvalidPrice), "invalid_price");
  EXPECT_EQ(name(RejectReason::kFromTheFuture), "from_the_future");
  EXPECT_EQ(name(RejectReason::kInvalidProtobuf), "invalid_protobuf");
  EXPECT_EQ(static_cast<size_t>(RejectReason::kInvalidProtobuf) + 1, kRejectReasons);
}

}  // namespace
}  // namespace segue::event
