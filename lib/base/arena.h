// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace segue {

template <class T>
concept NeverDestroyed = std::is_trivially_destructible_v<T>;

// Memory that is given back all at once: the strings and lists of one batch. After the first batches nothing is allocated. Objects are never
// destroyed, so only trivially destructible ones live here.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Bytes that stay valid and in place until clear().
  char* allocate(size_t size, size_t alignment = alignof(std::max_align_t)) {
    used_ = (used_ + alignment - 1) & ~(alignment - 1);
    if (blocks_.empty() || used_ + size > blocks_[current_].size) next_block(size);
    char* at = blocks_[current_].bytes.get() + used_;
    used_ += size;
    return at;
  }
  template <NeverDestroyed T>
  std::span<T> make_array(size_t count) {
    auto* first = reinterpret_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; ++i) new (first + i) T{};
    return {first, count};
  }
  std::string_view copy(std::string_view text) {
    char* at = allocate(text.size(), 1);
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  // Forgets everything; keeps the blocks.
  void clear() { current_ = 0, used_ = 0; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  static constexpr size_t kBlockBytes = 64 * 1024;

  void next_block(size_t size) {
    used_ = 0;
    while (!blocks_.empty() && ++current_ < blocks_.size())
      if (blocks_[current_].size >= size) return;
    const size_t bytes = size > kBlockBytes ? size : kBlockBytes;
    blocks_.push_back({std::make_unique<char[]>(bytes), bytes});
    current_ = blocks_.size() - 1;
  }

  std::vector<Block> blocks_;
  size_t current_ = 0;
  size_t used_ = 0;
};

}  // namespace segue
