// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/name_table.h"

#include <gtest/gtest.h>

#include "lib/event/event_type.h"

namespace segue::codec {
namespace {

constexpr NameTable<event::kEventTypes> kTable{event::kEventTypeNames};

TEST(NameTableTest, every_name_is_found_at_its_place_and_nothing_near_it) {
  for (size_t i = 0; i < event::kEventTypes; ++i) {
    const std::string found(event::kEventTypeNames[i]);
    EXPECT_EQ(kTable.find(found), i);
    EXPECT_EQ(kTable.find(found + "x"), kTable.kNotFound);
    EXPECT_EQ(kTable.find(found + std::string(1, '\0')), kTable.kNotFound);
    EXPECT_EQ(kTable.find(found.substr(1)), kTable.kNotFound);
  }
  EXPECT_EQ(kTable.find(""), kTable.kNotFound);
  EXPECT_EQ(kTable.find(std::string(17, 'v')), kTable.kNotFound);
}

TEST(NameTableTest, bytes_behind_a_name_do_not_matter) {
  EXPECT_EQ(kTable.find_in_place("view________________", 4), event::index(event::EventType::kView));
  EXPECT_EQ(kTable.find_in_place("message_clicked_________", 15), event::index(event::EventType::kMessageClicked));
}

}  // namespace
}  // namespace segue::codec
