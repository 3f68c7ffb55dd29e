// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/expression.h"

#include <algorithm>

namespace segue::audience {

Bitmap Expression::evaluate(const Index& index, uint32_t chunk) const {
  Value value = evaluate(static_cast<uint32_t>(nodes_.size() - 1), index, chunk);
  return value.lies != nullptr ? value.lies->copy() : std::move(value.made);
}

Expression::Value Expression::evaluate(uint32_t at, const Index& index, uint32_t chunk) const {
  const Node& node = nodes_[at];
  switch (node.kind) {
    case NodeKind::kAll:
      return {.lies = &index.all(chunk)};
    case NodeKind::kStage:
      return {.lies = &index.stage(node.left, chunk)};
    case NodeKind::kMembers:
      return {.lies = &index.members(node.left, chunk)};
    case NodeKind::kKey:
      return {.lies = &index.members(node.left, node.key, chunk)};
    case NodeKind::kAnyKey:
      return {.made = index.members_of_any(node.left, chunk)};
    case NodeKind::kNot:
      return {.made = Bitmap::difference(index.all(chunk), evaluate(node.left, index, chunk).get())};
    case NodeKind::kAnd: {
      Value left = evaluate(node.left, index, chunk);
      if (left.get().empty()) return left;
      // Without the complement in between.
      const Node& right = nodes_[node.right];
      if (right.kind == NodeKind::kNot) return {.made = Bitmap::difference(left.get(), evaluate(right.left, index, chunk).get())};
      return {.made = Bitmap::both(left.get(), evaluate(node.right, index, chunk).get())};
    }
    case NodeKind::kOr: {
      Value left = evaluate(node.left, index, chunk);
      Bitmap either = left.lies != nullptr ? left.lies->copy() : std::move(left.made);
      either.unite(evaluate(node.right, index, chunk).get());
      return {.made = std::move(either)};
    }
  }
  return {};
}

uint64_t count(const Index& index, const Expression& expression, uint32_t from, uint32_t to) {
  uint64_t users = 0;
  for (uint32_t chunk = from; chunk < std::min(to, index.chunks()); ++chunk) users += expression.evaluate(index, chunk).count();
  return users;
}

UserNumber page(const Index& index, const Expression& expression, UserNumber from, size_t limit, uint32_t chunks, std::vector<UserNumber>& out) {
  const size_t full = out.size() + limit;
  for (uint32_t chunk = from >> 16; chunk < index.chunks(); ++chunk, from = chunk << 16) {
    if (out.size() == full || chunks-- == 0) return from;
    expression.evaluate(index, chunk).list(static_cast<uint16_t>(from & 0xffff), full - out.size(), chunk << 16, out);
    if (out.size() == full && limit > 0) return out.back() + 1;
  }
  return kNoUser;
}

void add_overlaps(const Index& index, const std::vector<Expression>& expressions, uint32_t from, uint32_t to, std::vector<uint64_t>& counts) {
  const size_t n = expressions.size();
  counts.resize(n * n);
  std::vector<Bitmap> users(n);
  for (uint32_t chunk = from; chunk < std::min(to, index.chunks()); ++chunk) {
    for (size_t i = 0; i < n; ++i) users[i] = expressions[i].evaluate(index, chunk);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = i; j < n; ++j) {
        const uint32_t both = i == j ? users[i].count() : Bitmap::count_both(users[i], users[j]);
        counts[i * n + j] += both;
        if (i != j) counts[j * n + i] += both;
      }
  }
}

}  // namespace segue::audience
