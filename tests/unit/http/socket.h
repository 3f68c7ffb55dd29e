// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace segue::http {

// A plain socket, so that what goes over the wire is exactly what the test says.
class Socket {
 public:
  explicit Socket(uint16_t port, int receive_buffer_bytes = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{.tv_sec = 20, .tv_usec = 0};  // a test that waits longer has failed
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view text) { EXPECT_GE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), 0); }
  // Says that nothing more will be sent, and goes on reading.
  void end() { shutdown(fd_, SHUT_WR); }
  // Up to the end of the connection; "(still open)" when it does not come.
  std::string read_all() {
    std::string text;
    for (char buffer[4096];;) {
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return text + "(still open)";
      if (got <= 0) return text;
      text.append(buffer, static_cast<size_t>(got));
    }
  }
  std::string read_until(std::string_view end) {
    std::string text;
    for (char byte; !text.ends_with(end) && recv(fd_, &byte, 1, 0) == 1;) text.push_back(byte);
    return text;
  }

 private:
  int fd_;
  bool connected_ = false;
};

}  // namespace segue::http
