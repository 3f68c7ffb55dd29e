// SPDX-License-Identifier: Apache-2.0
// services/replay below the command line: decoding a chunk, and what a state directory is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/filelog/memory_file_system.h"
#include "services/replay/log_run.h"
#include "services/replay/state_directory.h"

namespace segue::replay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPath = "/log/events.ndjson";
constexpr const char* kOut = "/out";

std::string view(int number, const std::string& user, int64_t ts) {
  return R"({"event_id":"e)" + std::to_string(number) + R"(","type":"view","user_id":")" + user + R"(","ts":)" + std::to_string(ts) + "}\n";
}

// The log's chunks, decoded for so many shards, each handed to `visit` while its bytes are there.
void decode(const std::string& log, size_t chunk_bytes, size_t shards, const std::function<void(const pipeline::DecodedChunk&)>& visit) {
  filelog::MemoryFileSystem files;
  files.put(kPath, log);
  auto reader = filelog::LogReader::open(files, {kPath}, {}, {.chunk_bytes = chunk_bytes});
  ASSERT_TRUE(reader);
  filelog::Chunk chunk;
  codec::EventDecoder decoder;
  Arena arena;
  pipeline::DecodedChunk decoded;
  decoded.shares.resize(shards);
  do {
    ASSERT_TRUE((*reader)->next(chunk));
    arena.clear();
    decode_chunk(chunk, decoder, arena, decoded);
    visit(decoded);
  } while (!chunk.last);
}

TEST(DecodeChunk, EveryLineIsAnEventOrARejectAtItsPlace) {
  const std::string first = view(1, "ada", 500), broken = "no event\n", second = view(2, "bob", 300);
  decode(first + broken + "\n" + second, 1 << 20, 1, [&](const pipeline::DecodedChunk& decoded) {
    ASSERT_EQ(decoded.records.size(), 2u);
    ASSERT_EQ(decoded.rejects.size(), 2u);
    EXPECT_EQ(decoded.records[0].event.user_id, "ada");
    EXPECT_EQ(decoded.records[0].at, (Position{0, 0}));
    EXPECT_EQ(decoded.rejects[0].at, (Position{first.size(), 1}));
    EXPECT_EQ(decoded.rejects[0].raw, "no event");
    EXPECT_EQ(decoded.rejects[0].reason, event::RejectReason::kInvalidJson);
    EXPECT_EQ(decoded.rejects[1].at, (Position{first.size() + broken.size(), 2}));
    EXPECT_EQ(decoded.records[1].event.user_id, "bob");
    EXPECT_EQ(decoded.records[1].at, (Position{first.size() + broken.size() + 1, 3}));
    EXPECT_EQ(decoded.begin, Position{});
    EXPECT_EQ(decoded.end, (Position{first.size() + broken.size() + 1 + second.size(), 4}));
  });
}

TEST(DecodeChunk, TheHighTimeNeverFallsAndRejectsDoNotMoveIt) {
  std::string far = view(2, "bob", 999'999);
  far.insert(1, R"("price":-1,)");
  decode(view(1, "ada", 500) + far + view(3, "carol", 300) + view(4, "ada", 700), 1 << 20, 1, [](const pipeline::DecodedChunk& decoded) {
    ASSERT_EQ(decoded.records.size(), 3u);
    EXPECT_EQ(decoded.records[0].high, time_from_ms(500));
    EXPECT_EQ(decoded.records[1].high, time_from_ms(500));
    EXPECT_EQ(decoded.records[2].high, time_from_ms(700));
    EXPECT_EQ(decoded.high, time_from_ms(700));
    EXPECT_EQ(decoded.rejects.size(), 1u);
  });
}

TEST(DecodeChunk, AChunkWithoutEventsHasNoHighTime) {
  decode("x\n", 1 << 20, 2, [](const pipeline::DecodedChunk& decoded) {
    EXPECT_EQ(decoded.high, kNoTime);
    EXPECT_EQ(decoded.rejects.size(), 1u);
  });
}

TEST(DecodeChunk, EveryUserIsInTheShareOfHisKeyGroupAlone) {
  std::string log;
  for (int i = 0; i < 400; ++i) log += view(i, "u" + std::to_string(i % 50), i);
  size_t records = 0, shared = 0;
  decode(log, 2000, 3, [&](const pipeline::DecodedChunk& decoded) {
    records += decoded.records.size();
    for (size_t share = 0; share < 3; ++share) {
      EXPECT_TRUE(std::is_sorted(decoded.shares[share].begin(), decoded.shares[share].end()));
      shared += decoded.shares[share].size();
      for (const uint32_t i : decoded.shares[share]) ASSERT_EQ(share_of(decoded.records[i].event.user_id, 3), share);
    }
  });
  EXPECT_EQ(records, 400u);
  EXPECT_EQ(shared, 400u);
}

TEST(DecodeChunk, BlocksOfLinesDecodeAsSingleLinesDo) {
  // More than two blocks of 128 KiB, with a broken line in each.
  std::string log;
  for (int i = 0; i < 6000; ++i) log += i % 1500 == 700 ? "{\"event_id\":\"\n" : view(i, "u" + std::to_string(i), i);
  for (const size_t chunk_bytes : {size_t{1}, size_t{1} << 20}) {
    size_t next = 0, rejects = 0;
    decode(log, chunk_bytes, 1, [&](const pipeline::DecodedChunk& decoded) {
      rejects += decoded.rejects.size();
      for (const auto& record : decoded.records) {
        while (next % 1500 == 700) ++next;
        ASSERT_EQ(record.event.user_id, "u" + std::to_string(next));
        ASSERT_EQ(record.at.line, next);
        ++next;
      }
    });
    EXPECT_EQ(next, 6000u);
    EXPECT_EQ(rejects, 4u);
  }
}

TEST(Shares, AreWholeKeyGroupsInOrder) {
  size_t last = 0;
  std::vector<size_t> groups(4);
  std::vector<std::pair<uint32_t, size_t>> seen;
  for (int i = 0; i < 5000; ++i) {
    const std::string user = "user-" + std::to_string(i);
    seen.emplace_back(key_group(user), share_of(user, 4));
  }
  std::sort(seen.begin(), seen.end());
  for (const auto& [group, share] : seen) {
    EXPECT_GE(share, last);
    EXPECT_EQ(share, group / 256);
    last = share;
    ++groups[share];
  }
  for (const size_t count : groups) EXPECT_GT(count, 1000u);
  EXPECT_EQ(share_of("anyone", 1), 0u);
}

StateDirectory wanted_directory() {
  StateDirectory wanted;
  wanted.path = kOut;
  wanted.logs = {kPath};
  wanted.shards = 2;
  return wanted;
}

std::shared_ptr<const segment::Definitions> parse(std::string_view yaml) {
  return std::make_shared<const segment::Definitions>(*segment::Definitions::parse(yaml, "test.yaml"));
}

std::string content(filelog::MemoryFileSystem& files, const std::string& path) { return files.content(path).value_or(""); }

TEST(StateDirectory, ANewOneHasTheDefaultDefinitionsAndIsReadAgain) {
  filelog::MemoryFileSystem files;
  const auto made = StateDirectory::create_or_read(files, wanted_directory());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->definitions->hash(), parse(segment::default_definitions())->hash());
  const auto read = StateDirectory::read(files, kOut);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->shards, 2u);
  EXPECT_FALSE(read->partitioned);
  EXPECT_THAT(read->logs, ElementsAre(kPath));
  EXPECT_EQ(read->definitions->hash(), made->definitions->hash());
  EXPECT_EQ(read->erasure_key, made->erasure_key);
  EXPECT_EQ(read->state_path(1), "/out/state/shard-1");
}

TEST(StateDirectory, TwoDirectoriesHaveDifferentErasureKeys) {
  filelog::MemoryFileSystem files, others;
  EXPECT_NE(StateDirectory::create_or_read(files, wanted_directory())->erasure_key,
            StateDirectory::create_or_read(others, wanted_directory())->erasure_key);
}

TEST(StateDirectory, GoingOnKeepsTheDefinitionsAndTheKeyThatAreThere) {
  filelog::MemoryFileSystem files;
  StateDirectory wanted = wanted_directory();
  wanted.definitions = parse("version: 1\ntags: [{name: t, when: orders >= 3}]\n");
  const auto made = StateDirectory::create_or_read(files, wanted);
  ASSERT_TRUE(made);
  wanted.definitions = nullptr;
  wanted.logs = {"/moved/events.ndjson"};
  const auto again = StateDirectory::create_or_read(files, wanted);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->definitions->hash(), made->definitions->hash());
  EXPECT_EQ(again->erasure_key, made->erasure_key);
  EXPECT_THAT(again->logs, ElementsAre("/moved/events.ndjson"));
}

TEST(StateDirectory, TakesOtherDefinitions) {
  filelog::MemoryFileSystem files;
  ASSERT_TRUE(StateDirectory::create_or_read(files, wanted_directory()));
  StateDirectory other = wanted_directory();
  other.definitions = parse("version: 1");
  ASSERT_TRUE(StateDirectory::create_or_read(files, other));
  const auto read = StateDirectory::read(files, kOut);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->definitions->hash(), other.definitions->hash());
}

TEST(StateDirectory, RefusesAnotherNumberOfShardsAndAnotherKindOfLog) {
  filelog::MemoryFileSystem files;
  ASSERT_TRUE(StateDirectory::create_or_read(files, wanted_directory()));
  StateDirectory other = wanted_directory();
  other.shards = 3;
  auto refused = StateDirectory::create_or_read(files, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("was made with 2 shards, not 3"));

  other = wanted_directory();
  other.partitioned = true;
  EXPECT_FALSE(StateDirectory::create_or_read(files, other));
}

TEST(StateDirectory, APlainDirectoryIsNone) {
  filelog::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories(kOut));
  const auto read = StateDirectory::read(files, kOut);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorClass::kUsage);
}

TEST(StateDirectory, DamageIsSaidOfEachFile) {
  const auto error_after = [](const std::function<void(filelog::MemoryFileSystem&, const StateDirectory&)>& damage) {
    filelog::MemoryFileSystem files;
    const auto made = StateDirectory::create_or_read(files, wanted_directory());
    damage(files, *made);
    const auto read = StateDirectory::read(files, kOut);
    EXPECT_FALSE(read);
    EXPECT_EQ(read ? ErrorClass::kStop : read.error().kind, ErrorClass::kData);
    return read ? "" : read.error().message;
  };
  EXPECT_THAT(error_after([](auto& files, const auto&) { files.put("/out/erasure.key", std::string(16, 'x')); }), HasSubstr("erasure.key"));
  EXPECT_THAT(error_after([](auto& files, const auto&) { files.put("/out/erasure.key", "short"); }), HasSubstr("erasure.key"));
  EXPECT_THAT(error_after([](auto& files, const auto&) { files.put("/out/replay.json", "{\"format\":1"); }), HasSubstr("replay.json: damaged"));
  EXPECT_THAT(error_after([](auto& files, const auto&) { files.put("/out/replay.json", "{\"format\":2}"); }), HasSubstr("format 2"));
  EXPECT_THAT(error_after([](auto& files, const auto&) {
                std::string text = content(files, "/out/replay.json");
                text.replace(text.find("\"shards\": 2"), 11, "\"shards\": 0");
                files.put("/out/replay.json", text);
              }),
              HasSubstr("number of shards that cannot be"));
  EXPECT_THAT(error_after([](auto& files, const auto& made) { files.put("/out/definitions/" + made.definitions->hash() + ".yaml", "version: 1"); }),
              HasSubstr("its content has another hash"));
}

}  // namespace
}  // namespace segue::replay
