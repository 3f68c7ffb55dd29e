// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/installed_file.h"

#include <memory>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "lib/rocks/status.h"

namespace segue::rocks {
namespace {

std::string encode(uint64_t number) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.fixed(number);
  writer.fixed(hash64(bytes));
  return bytes;
}

}  // namespace

Result<uint64_t> read_installed(rocksdb::Env& env, const std::string& directory) {
  const std::string path = directory + "/INSTALLED";
  if (env.FileExists(path).IsNotFound()) return 0;
  std::string bytes;
  SEGUE_TRY(result_from(rocksdb::ReadFileToString(&env, path, &bytes), "reading " + path));
  const auto number = ByteReader(bytes).fixed<uint64_t>();
  if (bytes != encode(number)) return fail(ErrorClass::kData, "reading " + path + ": damaged: its checksum does not match");
  return number;
}

Result<> write_installed(rocksdb::Env& env, const std::string& directory, uint64_t number) {
  const std::string path = directory + "/INSTALLED";
  const std::string beside = path + ".new";
  SEGUE_TRY(result_from(rocksdb::WriteStringToFile(&env, encode(number), beside, true), "writing " + beside));
  SEGUE_TRY(result_from(env.RenameFile(beside, path), "renaming " + beside));
  std::unique_ptr<rocksdb::Directory> entry;
  SEGUE_TRY(result_from(env.NewDirectory(directory, &entry), "opening " + directory));
  return result_from(entry->Fsync(), "syncing " + directory);
}

}  // namespace segue::rocks
