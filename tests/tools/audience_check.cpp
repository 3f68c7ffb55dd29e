// SPDX-License-Identifier: Apache-2.0
#include "services/segue/audience_check.h"

#include <gmock/gmock.h>

#include "lib/audience/expression.h"
#include "lib/codec/page_codec.h"
#include "lib/codec/state_keys.h"
#include "lib/rocks/rocks_store.h"
#include "services/segue/commands.h"
#include "services/segue/exit_code.h"
#include "tests/tools/program_fixture.h"

namespace segue::program {
namespace {

class AudienceCheck : public ProgramTest {
 protected:
  void SetUp() override { run(replay_options(make_log(8000, 600), "out")); }
  std::unique_ptr<rocks::RocksStore> open() const {
    rocks::RocksOptions options;
    options.path = path("out/state/shard-0");
    auto store = rocks::RocksStore::open(options);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  // Every entry of the index, one after the other, for a change of its bytes.
  static std::vector<std::pair<std::string, std::string>> entries(pipeline::Store& store) {
    std::vector<std::pair<std::string, std::string>> entries;
    EXPECT_TRUE(store.scan(codec::kAudiencePrefix, [&](std::string_view key, std::string_view value) -> Result<> {
      entries.emplace_back(key, value);
      return {};
    }));
    return entries;
  }
  static audience::Index index_of_pages(pipeline::Store& store, const segment::Definitions& definitions) {
    audience::Index index(definitions);
    profile::Profile profile;
    EXPECT_TRUE(store.scan(codec::kPagePrefix, [&](std::string_view, std::string_view page) -> Result<> {
      auto decoded = codec::decode_page(page, definitions.plan(), profile);
      index.add_user(codec::read_page_header(page)->user_number, profile);
      return decoded;
    }));
    return index;
  }
  int verify() const { return run_verify({.directory = path("out"), .quick = true, .quiet = true}); }
};

TEST_F(AudienceCheck, AReplaysIndexIsWhatItsPagesSay) {
  EXPECT_EQ(verify(), kOk);
  const auto store = open();
  const auto definitions = parse(segment::default_definitions());
  const auto index = index_of_pages(*store, *definitions);
  EXPECT_TRUE(check_audiences(*store, *definitions, index));
  EXPECT_GT(index.count_all(), 100u);
}

TEST_F(AudienceCheck, OneUserMoreOrLessIsNamed) {
  const auto definitions = parse(segment::default_definitions());
  auto store = open();
  const auto all = entries(*store);
  ASSERT_GT(all.size(), 20u);
  const auto index = index_of_pages(*store, *definitions);
  // The last bit of the first user number: an entry as it could be, of another user.
  for (const auto& [key, bytes] : {all[0], all[all.size() / 2], all.back()}) {
    std::string changed = bytes;
    const auto count = static_cast<uint8_t>(bytes[10]) + 256 * static_cast<uint8_t>(bytes[11]) + 1;
    const size_t at = 16 + 2 * static_cast<size_t>(count - 1);
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    if (!audience::Bitmap::read(changed)) changed[at + 1] = static_cast<char>(changed[at + 1] | 0x40);
    ASSERT_TRUE(audience::Bitmap::read(changed));
    store->put(key, changed);
    store->seal();
    ASSERT_TRUE(store->install());
    const auto checked = check_audiences(*store, *definitions, index);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, ErrorClass::kData);
    EXPECT_THAT(checked.error().message, testing::AllOf(testing::HasSubstr("audience index: "), testing::HasSubstr(" user ")));
    store.reset();
    EXPECT_EQ(verify(), kData);
    store = open();
    store->put(key, bytes);
    store->seal();
    ASSERT_TRUE(store->install());
  }
  store->remove(all[1].first);
  store->seal();
  ASSERT_TRUE(store->install());
  EXPECT_FALSE(check_audiences(*store, *definitions, index));
}

}  // namespace
}  // namespace segue::program
