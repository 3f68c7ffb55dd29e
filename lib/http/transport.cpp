// SPDX-License-Identifier: Apache-2.0
#include "lib/http/transport.h"

#include <boost/asio/ssl/stream.hpp>
#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include "lib/http/connection.h"

namespace segue::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
  }
  void handshake(Completion done) override { done({}); }
  void read_some(asio::mutable_buffer buffer, Completion done) override { socket_.async_read_some(buffer, std::move(done)); }
  void write_some(const Buffers& buffers, Completion done) override { socket_.async_write_some(buffers, std::move(done)); }
  size_t write_now(const Buffers& buffers) override {
    boost::system::error_code error;  // comes again at the next write
    return socket_.write_some(buffers, error);
  }
  bool shut_down(Completion) override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    return true;
  }
  tcp::socket& socket() override { return socket_; }

 private:
  tcp::socket socket_;
};

class TlsTransport : public Transport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}
  void handshake(Completion done) override { stream_.async_handshake(asio::ssl::stream_base::server, std::move(done)); }
  void read_some(asio::mutable_buffer buffer, Completion done) override { stream_.async_read_some(buffer, std::move(done)); }
  // OpenSSL takes one buffer at a time.
  void write_some(const Buffers& buffers, Completion done) override {
    stream_.async_write_some(buffers[0].size() > 0 ? buffers[0] : buffers[1], std::move(done));
  }
  size_t write_now(const Buffers&) override { return 0; }
  bool shut_down(Completion done) override {
    stream_.async_shutdown(std::move(done));
    return false;
  }
  tcp::socket& socket() override { return stream_.next_layer(); }

 private:
  const std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

void Completion::operator()(boost::system::error_code error, size_t bytes) {
  (connection.get()->*then)(error, bytes);
  connection->end_turn();
}

std::unique_ptr<Transport> make_plain_transport(tcp::socket socket) { return std::make_unique<PlainTransport>(std::move(socket)); }
std::unique_ptr<Transport> make_tls_transport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace segue::http
