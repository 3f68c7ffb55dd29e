// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lib/base/assert.h"
#include "lib/pipeline/store.h"

namespace segue::behaviour {

// A store in memory that keeps to the port's promises: what is read is what the last installed checkpoint holds, as bytes.
class MemoryStore final : public pipeline::Store {
 public:
  Result<> load(std::span<const std::string_view> keys, const Found& found) override {
    loads_ += keys.size();
    // Backwards: the port promises no order.
    for (size_t i = keys.size(); i-- > 0;) {
      const auto at = installed_.find(keys[i]);
      found(i, at == installed_.end() ? std::nullopt : std::optional<std::string_view>(at->second));
    }
    return {};
  }
  Result<> scan(std::string_view prefix, const Visit& visit) override {
    for (auto at = installed_.lower_bound(prefix); at != installed_.end() && at->first.starts_with(prefix); ++at)
      SEGUE_TRY(visit(at->first, at->second));
    return {};
  }
  void put(std::string_view key, std::string_view value) override {
    SEGUE_ASSERT(!sealed_);
    collected_.insert_or_assign(std::string(key), std::string(value));
  }
  void remove(std::string_view key) override {
    SEGUE_ASSERT(!sealed_);
    collected_.insert_or_assign(std::string(key), std::nullopt);
  }
  size_t collected_bytes() const override { return collected_.size(); }
  void seal() override { sealed_ = true; }
  Result<bool> written() override { return true; }
  Result<> install() override {
    SEGUE_ASSERT(sealed_);
    for (auto& [key, value] : collected_) {
      if (value)
        installed_.insert_or_assign(key, std::move(*value));
      else
        installed_.erase(key);
    }
    collected_.clear();
    sealed_ = false;
    return {};
  }

  // The program died: what was not installed is gone.
  void crash() {
    collected_.clear();
    sealed_ = false;
  }
  // Damage: a value is gone.
  void lose(const std::string& key) { installed_.erase(key); }
  // Pages asked for so far.
  size_t loads() const { return loads_; }
  using Contents = std::map<std::string, std::string, std::less<>>;
  const Contents& contents() const { return installed_; }

 private:
  Contents installed_;
  std::map<std::string, std::optional<std::string>> collected_;
  bool sealed_ = false;
  size_t loads_ = 0;
};

}  // namespace segue::behaviour
