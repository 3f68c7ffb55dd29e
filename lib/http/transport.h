// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

namespace segue::http {

class Connection;

// What a connection's operations call when they are done: a member of it, and then the answers that came meanwhile.
struct Completion {
  std::shared_ptr<Connection> connection;
  void (Connection::*then)(boost::system::error_code error, size_t bytes);

  void operator()(boost::system::error_code error, size_t bytes = 0);
};

using Buffers = std::array<boost::asio::const_buffer, 2>;

// A socket, in the clear or under TLS.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void handshake(Completion done) = 0;
  virtual void read_some(boost::asio::mutable_buffer buffer, Completion done) = 0;
  virtual void write_some(const Buffers& buffers, Completion done) = 0;
  // Bytes that went into the kernel at once; 0 where it took none, or where that cannot be told.
  virtual size_t write_now(const Buffers& buffers) = 0;
  // Ends our side; `done` where that takes a while, else true at once.
  virtual bool shut_down(Completion done) = 0;
  virtual boost::asio::ip::tcp::socket& socket() = 0;
};

std::unique_ptr<Transport> make_plain_transport(boost::asio::ip::tcp::socket socket);
// The context must live as long.
std::unique_ptr<Transport> make_tls_transport(boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace segue::http
