// SPDX-License-Identifier: Apache-2.0
#include "lib/http/asset.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

std::string header_of(const Response& response, std::string_view name) {
  for (const Header& header : response.headers)
    if (header.name == name) return header.value;
  return "";
}

TEST(Asset, IsSentOnceAndThenNotModified) {
  const Asset asset{.content_type = "text/css", .bytes = std::make_shared<std::string>("body{}"), .etag = make_etag("body{}")};
  const Response first = answer_asset({"GET", "/a.css", ""}, asset);
  EXPECT_EQ(first.status, 200u);
  EXPECT_EQ(first.content(), "body{}");
  const std::string etag = header_of(first, "ETag");
  const Response second = answer_asset({"GET", "/a.css", "", {{"If-None-Match", "\"x\", W/" + etag}}}, asset);
  EXPECT_EQ(second.status, 304u);
  EXPECT_EQ(header_of(second, "ETag"), etag);
  EXPECT_EQ(second.content(), "");
  EXPECT_EQ(answer_asset({"GET", "/a.css", "", {{"If-None-Match", "\"other\""}}}, asset).status, 200u);
}

TEST(Asset, GoesAsGzipToThoseWhoTakeIt) {
  const Asset asset{.content_type = "text/css",
                    .bytes = std::make_shared<std::string>("plain"),
                    .gzip_bytes = std::make_shared<std::string>("small"),
                    .etag = make_etag("plain")};
  const auto ask = [&](std::string accept) { return answer_asset({"GET", "/a.css", "", {{"Accept-Encoding", std::move(accept)}}}, asset); };
  EXPECT_EQ(ask("br, gzip").content(), "small");
  EXPECT_EQ(header_of(ask("gzip;q=0.5"), "Content-Encoding"), "gzip");
  EXPECT_EQ(ask("gzip;q=0").content(), "plain");
  EXPECT_EQ(ask("identity").content(), "plain");
  EXPECT_NE(header_of(ask("gzip"), "ETag"), header_of(ask(""), "ETag"));
  EXPECT_EQ(header_of(ask(""), "Vary"), "Accept-Encoding");
}

}  // namespace
}  // namespace segue::http
