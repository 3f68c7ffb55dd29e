// SPDX-License-Identifier: Apache-2.0
#include "services/replay/bounded_files.h"

#include <algorithm>

namespace segue::replay {
namespace {

// A file that is read, up to an end.
class BoundedFile final : public filelog::File {
 public:
  BoundedFile(std::unique_ptr<filelog::File> file, uint64_t end) : file_(std::move(file)), end_(end) {}

  Result<> append(std::string_view) override { return refuse(); }
  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const override {
    if (offset >= end_) return size_t{0};
    return file_->read_at(offset, buffer.first(static_cast<size_t>(std::min<uint64_t>(buffer.size(), end_ - offset))));
  }
  Result<> sync() override { return refuse(); }
  Result<uint64_t> size() const override {
    const auto size = file_->size();
    return size ? Result<uint64_t>(std::min(*size, end_)) : size;
  }
  Result<> truncate(uint64_t) override { return refuse(); }

 private:
  static Result<> refuse() { return fail(ErrorClass::kStop, "a log that is replayed is not written to"); }

  const std::unique_ptr<filelog::File> file_;
  const uint64_t end_;
};

}  // namespace

Result<std::unique_ptr<filelog::File>> BoundedFiles::open_to_read(const std::string& path) {
  auto file = files_.open_to_read(path);
  const auto end = ends_.find(path);
  if (!file || end == ends_.end()) return file;
  return std::make_unique<BoundedFile>(std::move(*file), end->second);
}

}  // namespace segue::replay
