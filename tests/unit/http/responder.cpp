// SPDX-License-Identifier: Apache-2.0
#include "lib/http/responder.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

TEST(Responder, TheFirstAnswerCounts) {
  std::vector<unsigned> given;
  {
    const Responder responder([&](const Response& response) { given.push_back(response.status); });
    const Responder copy = responder;
    copy.send({.status = 201});
    responder.send({.status = 202});
    EXPECT_TRUE(responder.stream({}).is_gone());
  }
  EXPECT_EQ(given, std::vector<unsigned>{201});
}

TEST(Responder, AnAnswerThatNobodyGaveIs500) {
  unsigned given = 0;
  {
    const Responder responder([&](const Response& response) { given = response.status; });
  }
  EXPECT_EQ(given, 500u);
}

}  // namespace
}  // namespace segue::http
