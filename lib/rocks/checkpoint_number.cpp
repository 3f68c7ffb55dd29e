// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/checkpoint_number.h"

#include "lib/base/bytes.h"
#include "lib/rocks/status.h"

namespace segue::rocks {

Result<uint64_t> read_checkpoint_number(rocksdb::DB& db, const std::string& path) {
  std::string bytes;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), {kCheckpointNumberKey.data(), kCheckpointNumberKey.size()}, &bytes);
  if (status.IsNotFound()) return 0;
  SEGUE_TRY(result_from(status, "reading the number of the checkpoint in " + path));
  ByteReader reader(bytes);
  const auto number = reader.fixed<uint64_t>();
  if (!reader.ok() || !reader.done()) return fail(ErrorClass::kData, "opening " + path + ": damaged: the number of the checkpoint");
  return number;
}

}  // namespace segue::rocks
