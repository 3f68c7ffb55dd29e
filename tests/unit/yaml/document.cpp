// SPDX-License-Identifier: Apache-2.0
#include "lib/yaml/document.h"

#include <gtest/gtest.h>

#include <string>

namespace segue::yaml {
namespace {

std::string fault(std::string_view text) {
  const auto root = load_document(text, "the file");
  return root ? "none" : std::to_string(root.error().offset) + " " + root.error().message;
}

TEST(YamlDocument, IsTheOnlyOneOfItsText) {
  EXPECT_EQ(load_document("a: 1\n", "the file").value()["a"].Scalar(), "1");
  EXPECT_EQ(fault("a: 1\n---\nb: 2\n"), "5 found more after the end of the file: a bracket too many?");
  EXPECT_EQ(fault("{a: 1}}"), "6 this is not YAML: illegal flow end");
}

TEST(YamlDocument, OfAnEmptyTextIsNothing) {
  EXPECT_TRUE(load_document("", "the file").value().IsNull());
  EXPECT_TRUE(load_document("# only this\n", "the file").value().IsNull());
}

TEST(YamlDocument, AMistakeHasItsPlaceAndRepeatsNothing) {
  EXPECT_EQ(fault("a: *5ecret\n"), "3 this is not YAML: the referenced anchor is not defined");
  EXPECT_EQ(fault("a: \"\\q\"\n"), "6 this is not YAML: unknown escape character");
  EXPECT_EQ(fault("\xff"), "0 the file is not UTF-8 text");
  EXPECT_EQ(fault(std::string((1 << 20) + 1, '#')), "0 the file is larger than 1 MiB");
  EXPECT_EQ(fault(std::string(1 << 20, '#')), "none");
}

}  // namespace
}  // namespace segue::yaml
