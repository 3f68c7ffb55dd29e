// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/table_check.h"

#include <memory>

#include "lib/base/bytes.h"

namespace segue::rocks {
namespace {

// The footer of format versions 1 to 5: checksum type, two block handles as varints padded to 40 bytes, version, magic. The first handle is that of
// the index of meta blocks, and the properties end right before it: with the number of restarts, its top bit the claim, and a trailer.
constexpr size_t kFooterBytes = 53;
constexpr size_t kBlockTrailerBytes = 5;
constexpr uint64_t kTableMagic = 0x88e241b785f4cff7;

}  // namespace

Result<> check_properties(rocksdb::Env& env, const std::string& path) {
  uint64_t size = 0;
  if (!env.GetFileSize(path, &size).ok()) return {};
  if (size < kFooterBytes) return {};
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  if (!env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions()).ok()) return {};
  char scratch[kFooterBytes];
  rocksdb::Slice bytes;
  if (!file->Read(size - kFooterBytes, kFooterBytes, &bytes, scratch).ok()) return {};
  // A compaction's output that a kill cut short has no footer yet; RocksDB knows nothing of it and removes it.
  if (bytes.size() != kFooterBytes ||
      ByteReader(std::string_view(bytes.data() + kFooterBytes - sizeof kTableMagic, sizeof kTableMagic)).fixed<uint64_t>() != kTableMagic)
    return {};
  ByteReader footer(std::string_view(bytes.data(), bytes.size()));
  footer.fixed<uint8_t>();
  const uint64_t meta_index = footer.varint();
  if (!footer.ok() || meta_index <= kBlockTrailerBytes || meta_index > size) return {};
  if (!file->Read(meta_index - kBlockTrailerBytes - 1, 1, &bytes, scratch).ok()) return {};
  if (bytes.size() == 1 && (static_cast<uint8_t>(bytes[0]) & 0x80) != 0)
    return fail(ErrorClass::kData, "reading " + path + ": damaged: the block of properties");
  return {};
}

}  // namespace segue::rocks
