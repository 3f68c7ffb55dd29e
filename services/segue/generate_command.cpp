// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "services/segue/commands.h"
#include "services/segue/console.h"

namespace segue::program {

int run_generate(GenerateCommand command) {
  command.options.span = Duration{std::llround(command.days * 86'400'000)};
  if (const auto checked = generate::check(command.options); !checked) {
    complain(checked.error().message);
    return kUsage;
  }
  int fd = STDOUT_FILENO;
  if (command.out != "-") {
    fd = open(command.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
      complain("cannot write " + command.out + ": " + std::strerror(errno));
      return kIo;
    }
  }
  auto written = generate::write_log(command.options, fd);
  if (command.out != "-" && close(fd) != 0 && written)
    written = fail(ErrorClass::kRetry, "cannot write " + command.out + ": " + std::strerror(errno));
  if (!written) {
    // A reader such as head that has enough is no fault.
    if (command.out == "-" && errno == EPIPE) return kOk;
    return complain_about(written.error());
  }
  return kOk;
}

}  // namespace segue::program
