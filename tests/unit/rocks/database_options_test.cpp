// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/database_options.h"

#include <gtest/gtest.h>
#include <rocksdb/cache.h>
#include <rocksdb/table.h>

namespace segue::rocks {
namespace {

TEST(DatabaseOptions, StoresThatAreGivenOneCacheShareIt) {
  RocksOptions options;
  options.block_cache = make_block_cache(1 << 20);
  const auto cache_of = [](const rocksdb::Options& db) { return db.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>()->block_cache; };
  EXPECT_EQ(cache_of(make_database_options(options)), options.block_cache);
  EXPECT_EQ(cache_of(make_database_options(options)), options.block_cache);
  EXPECT_NE(cache_of(make_database_options({})), cache_of(make_database_options({})));
  EXPECT_EQ(options.block_cache->GetCapacity(), 1u << 20);
}

TEST(DatabaseOptions, AReaderMakesNoDatabase) {
  RocksOptions options;
  EXPECT_TRUE(make_database_options(options).create_if_missing);
  options.read_only = true;
  EXPECT_FALSE(make_database_options(options).create_if_missing);
}

}  // namespace
}  // namespace segue::rocks
