// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/status.h"

#include <gtest/gtest.h>

namespace segue::rocks {
namespace {

using rocksdb::Status;

TEST(Status, EachKindOfFailureSaysWhatACallerCanDo) {
  EXPECT_EQ(error_from(Status::NoSpace("f", "full"), "writing f").kind, ErrorClass::kRetry);
  EXPECT_EQ(error_from(Status::Corruption("bad block"), "reading").kind, ErrorClass::kData);
  EXPECT_EQ(error_from(Status::PathNotFound("000012.sst"), "opening").kind, ErrorClass::kData);
  EXPECT_EQ(error_from(Status::IOError("While lock file: /x/LOCK", "Resource temporarily unavailable"), "opening").kind, ErrorClass::kUsage);
  EXPECT_EQ(error_from(Status::IOError("no device"), "writing").kind, ErrorClass::kStop);
}

TEST(Status, TheMessageIsOneLineThatNamesWhatWasAttempted) {
  const Error error = error_from(Status::Corruption("bad\nblock"), "opening /state");
  EXPECT_EQ(error.message, "opening /state: damaged: Corruption: bad block");
}

TEST(Status, OkIsNoError) { EXPECT_TRUE(result_from(Status::OK(), "x")); }

}  // namespace
}  // namespace segue::rocks
