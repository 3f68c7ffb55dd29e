// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace segue::tools {

// Marks text for a terminal; leaves it alone anywhere else.
class Paint {
 public:
  Paint() = default;
  explicit Paint(bool on) : on_(on) {}

  std::string strong(std::string_view text) const { return wrap("1", text); }
  std::string faint(std::string_view text) const { return wrap("2", text); }
  std::string good(std::string_view text) const { return wrap("32", text); }
  std::string bad(std::string_view text) const { return wrap("31", text); }
  std::string warm(std::string_view text) const { return wrap("33", text); }
  std::string flow(std::string_view text) const { return wrap("36", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

  bool on_ = false;
};

// What stands behind a file descriptor.
struct Terminal {
  bool is_tty = false;
  size_t width = 100;  // columns; where it is no terminal, a fixed width
  Paint paint;         // on for a terminal that is not "dumb", unless NO_COLOR is set
};
Terminal find_terminal(int fd);

}  // namespace segue::tools
