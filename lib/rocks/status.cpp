// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/status.h"

#include <algorithm>
#include <string>

namespace segue::rocks {
namespace {

ErrorClass class_of(const rocksdb::Status& status, const std::string& text) {
  if (status.IsNoSpace()) return ErrorClass::kRetry;
  if (status.IsCorruption() || status.IsNotSupported()) return ErrorClass::kData;
  // RocksDB has no code for a held lock, only the text of its POSIX file system.
  if (text.find("While lock file") != std::string::npos || text.find("lock hold by current process") != std::string::npos) return ErrorClass::kUsage;
  // A file that the MANIFEST names and the directory lacks.
  if (status.IsPathNotFound() || status.IsInvalidArgument()) return ErrorClass::kData;
  return ErrorClass::kStop;
}

const char* hint(ErrorClass kind, const rocksdb::Status& status) {
  switch (kind) {
    case ErrorClass::kRetry:
      return "disk full: ";
    case ErrorClass::kUsage:
      return "in use by another process: ";
    case ErrorClass::kData:
      return status.IsPathNotFound() ? "missing file: " : "damaged: ";
    case ErrorClass::kStop:
      break;
  }
  return "";
}

}  // namespace

Error error_from(const rocksdb::Status& status, std::string_view doing) {
  std::string text = status.ToString();
  const ErrorClass kind = class_of(status, text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::string message(doing);
  message += ": ";
  message += hint(kind, status);
  message += text;
  return {kind, std::move(message)};
}

}  // namespace segue::rocks
