// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"

namespace segue::generate {

// A log of the reference job: what users of a shop do within a span of time. The same options give the same bytes on every machine.
struct GenerateOptions {
  uint64_t events = 1'000'000;  // lines, duplicates and malformed ones included
  uint32_t users = 1'000'000;   // drawn by Zipf's law: the k-th most active has a share of k^-1.05
  uint32_t items = 50'000;      // likewise
  uint32_t categories = 200;    // an item has one of them,
  uint32_t brands = 1'000;      // and one of these
  uint64_t seed = 1;
  Time start = time_from_ms(1'700'000'000'000);
  Duration span = std::chrono::days{120};  // long enough that users lapse
  Duration disorder{30'000};               // a fifth of the events carry a ts up to this much earlier than their place; below it
  double duplicates = 0.005;               // share of events that come again within 60 s
  double malformed = 0.002;                // share of lines that are broken in one of five ways
  double chinese = 0;                      // share of categories with Chinese names
};

// Draws ranks 0 … n-1 by Zipf's law with exponent 1.05: one table of eight bytes a rank, one look-up a draw. The table is made with additions,
// multiplications, divisions and square roots alone, which IEEE 754 rounds alike everywhere; pow() is not.
class Zipf {
 public:
  explicit Zipf(uint32_t n);
  // A rank for 64 random bits.
  uint32_t draw(uint64_t random) const {
    const auto place = static_cast<uint32_t>((random >> 32) * slots_.size() >> 32);
    const Slot& slot = slots_[place];
    return static_cast<uint32_t>(random) < slot.threshold ? place : slot.alias;
  }

 private:
  struct Slot {
    uint32_t threshold = ~0u;  // of 2^32: below it the place itself is drawn,
    uint32_t alias = 0;        // else this one
  };
  std::vector<Slot> slots_;
};

// Writes such a log line by line.
class Generator {
 public:
  // Requires options that check() accepts.
  explicit Generator(const GenerateOptions& options);

  // Appends the next line with its newline; false at the end.
  bool append_line(std::string& out);

 private:
  enum class Fault : uint8_t { kNone, kCutShort, kNoUser, kNegativePrice, kTextTs, kUnknownType };
  struct Duplicate {
    uint64_t line;  // comes before this line, or as soon after it as possible
    std::string bytes;
  };

  uint64_t random();
  uint64_t below(uint64_t n);
  void make_catalogue();
  void append_event(std::string& out, Fault fault);
  void schedule_duplicate(std::string_view bytes);

  GenerateOptions options_;
  uint64_t state_;
  Zipf users_;
  Zipf items_;
  uint64_t user_step_, item_step_;              // spread neighbouring ranks over the ids
  uint64_t duplicate_below_, malformed_below_;  // of 2^32
  uint64_t duplicate_reach_;                    // lines within 60 s
  std::vector<std::string> catalogue_;          // for each item its members: "item_id":"i-00042","category":…,"price":
  std::vector<std::string> prices_;
  std::deque<Duplicate> duplicates_;  // in the order in which they come
  uint64_t line_ = 0;
  uint64_t event_ = 0;
};

// kUsage with a sentence when the options make no log.
Result<> check(const GenerateOptions& options);

// Writes the whole log to an open file or pipe, a megabyte at a time.
Result<> write_log(const GenerateOptions& options, int fd);

}  // namespace segue::generate
