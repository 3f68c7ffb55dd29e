// SPDX-License-Identifier: Apache-2.0
#include "lib/pipeline/store_contents.h"

#include <gmock/gmock.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

std::string page_key(std::string_view user) {
  std::string key;
  codec::make_page_key(user, key);
  return key;
}

// More users than are compared at a time.
void fill(MemoryStore& store) {
  for (int i = 0; i < 3000; ++i) store.values[page_key("user-" + std::to_string(i))] = "page " + std::to_string(i);
  store.values["t12345678"] = "erased";
}

std::string difference(MemoryStore& state, MemoryStore& made) {
  const auto same = compare_entries(state, made, codec::kPagePrefix, "page");
  return same ? "none" : same.error().message;
}

TEST(StoreContents, EqualStatesHaveTheSameNumberOfEntries) {
  MemoryStore state, made;
  fill(state), fill(made);
  EXPECT_EQ(compare_entries(state, made, codec::kPagePrefix, "page"), 3000u);
  EXPECT_EQ(compare_entries(state, made, codec::kErasedPrefix, "erased user"), 1u);
}

TEST(StoreContents, TheFirstDifferenceIsTold) {
  MemoryStore state, made;
  fill(state), fill(made);
  state.values[page_key("user-2999")] = "another page";
  EXPECT_EQ(difference(state, made), "page of user user-2999 has other bytes than the log gives");
  fill(state);
  made.values.erase(page_key("user-7"));
  EXPECT_EQ(difference(state, made), "page of user user-7 is not what the log gives: it should not be there");
  fill(made);
  state.values.erase(page_key("user-7"));
  EXPECT_EQ(difference(state, made), "the log gives 3000 of page, the state has 2999");
}

TEST(StoreContents, MetaIsAbsentBeforeTheFirstCheckpointAndAFaultWhereItCannotBeRead) {
  MemoryStore store;
  EXPECT_EQ(load_meta(store).value(), std::nullopt);
  EXPECT_EQ(load_value(store, codec::kMetaKey).value(), std::nullopt);
  codec::ShardMeta meta;
  meta.sequence = 7;
  std::string bytes;
  codec::encode(meta, bytes);
  store.values[std::string(codec::kMetaKey)] = bytes;
  EXPECT_EQ(load_meta(store).value()->sequence, 7u);
  store.values[std::string(codec::kMetaKey)] = "x";
  EXPECT_EQ(load_meta(store).error().kind, ErrorClass::kData);
  EXPECT_EQ(load_value(store, codec::kMetaKey).value(), "x");
}

}  // namespace
}  // namespace segue::pipeline
