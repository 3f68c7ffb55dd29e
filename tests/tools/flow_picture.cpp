// SPDX-License-Identifier: Apache-2.0
#include "services/tools/flow_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "services/tools/display.h"
#include "services/tools/table.h"

namespace segue::tools {
namespace {

using testing::HasSubstr;

const Flow kShop{{{"new", 600}, {"潜客", 300}, {"buyer", 100}}, {{0, 1, 400}, {1, 0, 100}, {0, 2, 50}, {1, 2, 50}, {0, 1, 1}, {2, 1, 0}}};

size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  size_t widest = 0;
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, display_width(line));
  return widest;
}

TEST(FlowPicture, ShowsUsersAndWaysOut) {
  const std::string text = draw_flow(kShop, {});
  EXPECT_THAT(text, HasSubstr("│ 潜客  │"));  // as wide as "buyer"
  EXPECT_THAT(text, HasSubstr("60.0 %"));
  EXPECT_THAT(text, HasSubstr("├─▶ 潜客   401  ━━━"));  // two moves are one way
  EXPECT_THAT(text, HasSubstr("╰─▶ 潜客     0  ·"));
}

TEST(FlowPicture, FitsTheTerminal) {
  for (const size_t width : {40u, 60u, 80u, 160u}) EXPECT_LE(widest_line(draw_flow(kShop, {.is_tty = true, .width = width})), width);
}

TEST(FlowPicture, WorksWithoutUsers) { EXPECT_THAT(draw_flow({{{"new", 0}}, {}}, {}), HasSubstr("│ new │")); }

TEST(Table, AlignsColumnsByWhatTheTerminalShows) {
  Table table({Table::Align::kLeft, Table::Align::kRight});
  table.row({"女装", "5"});
  table.row({"x", "1,000"});
  EXPECT_EQ(table.text({}), "  女装      5\n  x     1,000\n");
}

TEST(Table, NoLineIsLongerThanTheTerminal) {
  Table table({Table::Align::kLeft, Table::Align::kLeft, Table::Align::kLeft});
  table.row({"abc", std::string(100, 'y'), "z"});
  EXPECT_LE(widest_line(table.text({.is_tty = true, .width = 40})), 40u);
}

}  // namespace
}  // namespace segue::tools
