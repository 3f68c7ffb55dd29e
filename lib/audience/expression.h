// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/audience/index.h"
#include "lib/base/result.h"
#include "lib/segment/definitions.h"

namespace segue::audience {

// A mistake in an expression: the column counts characters from 1.
struct ExpressionError {
  size_t column = 1;
  std::string message;  // what was found and what was expected
};

inline constexpr size_t kMaxExpressionBytes = 4096;
inline constexpr size_t kMaxExpressionNames = 128;
inline constexpr size_t kMaxExpressionDepth = 32;

// An expression over sets of users (docs/audiences.md), with its names found in the definitions. It belongs to an index of those definitions.
class Expression {
 public:
  static tl::expected<Expression, ExpressionError> parse(std::string_view text, const segment::Definitions& definitions);

  // The users of one chunk.
  Bitmap evaluate(const Index& index, uint32_t chunk) const;
  // Hash of the definitions that the names were found in.
  const std::string& definitions() const { return definitions_; }

 private:
  friend class ExpressionParser;
  enum class NodeKind : uint8_t { kAll, kStage, kMembers, kKey, kAnyKey, kAnd, kOr, kNot };
  struct Node {
    NodeKind kind = NodeKind::kAll;
    uint32_t left = 0;   // kStage: the stage; kMembers, kKey, kAnyKey: the definition; else a node
    uint32_t right = 0;  // kAnd, kOr: a node
    std::string key;
  };
  // A set of the index as it lies there, or one that was made.
  struct Value {
    const Bitmap* lies = nullptr;
    Bitmap made;
    const Bitmap& get() const { return lies != nullptr ? *lies : made; }
  };

  Value evaluate(uint32_t node, const Index& index, uint32_t chunk) const;

  std::vector<Node> nodes_;  // children before parents; the last is the root
  std::string definitions_;
};

// Exact. Chunks [from, to), for a count in slices; by default all.
uint64_t count(const Index& index, const Expression& expression, uint32_t from = 0, uint32_t to = UINT32_MAX);

// Appends up to `limit` users numbered `from` or higher, ascending, looking into `chunks` chunks at most. Returns where to go on; kNoUser at the end.
UserNumber page(const Index& index, const Expression& expression, UserNumber from, size_t limit, uint32_t chunks, std::vector<UserNumber>& out);

// How many users each pair has in common: entry i * n + j; on the diagonal each one's count. Added to `counts`, so that slices and shards add up.
void add_overlaps(const Index& index, const std::vector<Expression>& expressions, uint32_t from, uint32_t to, std::vector<uint64_t>& counts);

}  // namespace segue::audience
