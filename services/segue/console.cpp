// SPDX-License-Identifier: Apache-2.0
#include "services/segue/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "services/tools/display.h"

namespace segue::program {
namespace {

// Why standard output takes no more; 0 while it does.
int output_error = 0;

bool write_all(int fd, std::string_view text, int& error) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      error = errno;
      return false;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

void prepare_standard_files() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      // The lowest free number is this one.
      [[maybe_unused]] const int opened = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    }
  std::signal(SIGPIPE, SIG_IGN);
}

bool print(std::string_view text) { return output_error == 0 && write_all(STDOUT_FILENO, text, output_error); }

int exit_code_after_output(int code) {
  if (output_error == 0 || output_error == EPIPE) return code;
  complain(std::string("cannot write to standard output: ") + std::strerror(output_error));
  return code == kOk ? kIo : code;
}

void print_error(std::string_view text) {
  int ignored = 0;
  write_all(STDERR_FILENO, text, ignored);
}

// Messages repeat names from logs and files, which may hold what a terminal obeys.
void complain(std::string_view message) {
  std::string out = "segue: ";
  for (;;) {
    const size_t end = message.find('\n');
    out.append(tools::printable(message.substr(0, end))).push_back('\n');
    if (end == std::string_view::npos || end + 1 == message.size()) break;
    message.remove_prefix(end + 1);
  }
  print_error(out);
}

int complain_about(const Error& error) {
  complain(error.message);
  return exit_code(error.kind);
}

int complain_about_setup(const Error& error) {
  const int code = complain_about(error);
  return error.kind == ErrorClass::kUsage ? kConfig : code;
}

}  // namespace segue::program
