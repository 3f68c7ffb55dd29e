// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "lib/base/result.h"

namespace segue::program {

// A directory for a second copy of a state. Beside that one, so that it is on a disk with room; goes with the object.
class Workplace {
 public:
  explicit Workplace(const std::string& directory)
      : path_(std::filesystem::path(directory + "/.").lexically_normal().parent_path().string() + ".verify-" + std::to_string(getpid())) {}
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  Result<> make() const {
    std::error_code error;
    if (std::filesystem::create_directory(path_, error)) return {};
    return fail(ErrorClass::kRetry, "cannot make " + path_ + ": " + (error ? error.message() : "it exists"));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace segue::program
