// SPDX-License-Identifier: Apache-2.0
// The one file that includes Asio and Beast: they cost 15 s to compile.
#include "lib/http/server.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>  // before Asio 1.74, which uses std::exchange without it

namespace segue::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using Parser = beast::http::request_parser<beast::http::string_body>;
using Answer = beast::http::response<beast::http::string_body>;

unsigned status_of(const beast::error_code& error) {
  if (error == beast::http::error::body_limit) return 413;
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) return 431;
  return 400;
}

Answer make_answer(const Response& response, unsigned version, bool keep_alive, bool head) {
  Answer answer(static_cast<beast::http::status>(response.status), version);
  answer.set(beast::http::field::server, "segue");
  answer.set(beast::http::field::content_type, response.content_type);
  answer.set(beast::http::field::cache_control, "no-store");
  if (!response.allow.empty()) answer.set(beast::http::field::allow, response.allow);
  answer.keep_alive(keep_alive);
  answer.content_length(response.body.size());
  if (!head) answer.body() = response.body;
  return answer;
}

// One connection: request, answer, request, … Owned by the callbacks that it waits for.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const Server::Options& options, const Handler& handler, std::function<void(Connection*)> closed)
      : stream_(std::move(socket)), options_(options), handler_(handler), closed_(std::move(closed)), buffer_(options.max_header_bytes) {}
  ~Connection() { closed_(this); }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(options_.max_header_bytes));
    parser_->body_limit(options_.max_body_bytes);
    stream_.expires_after(options_.timeout);
    beast::http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, size_t) { self->take(error); });
  }
  void close() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  void take(beast::error_code error) {
    if (error == beast::http::error::end_of_stream || error == beast::error::timeout || error == asio::error::operation_aborted) return shut_down();
    if (error && error.category() != beast::http::make_error_code(beast::http::error::bad_method).category()) return shut_down();
    if (error) return send(make_answer({.status = status_of(error), .body = error.message() + "\n"}, 11, false, false));
    const auto& message = parser_->get();
    const auto target = message.target();
    const size_t question = std::min(target.find('?'), target.size());
    Request request;
    request.method = std::string(message.method_string());
    request.path = std::string(target.substr(0, question));
    if (question < target.size()) request.query = std::string(target.substr(question + 1));
    send(make_answer(handler_(request), message.version(), message.keep_alive(), message.method() == beast::http::verb::head));
  }

  void send(Answer answer) {
    answer_ = std::move(answer);
    stream_.expires_after(options_.timeout);
    beast::http::async_write(stream_, answer_, [self = shared_from_this()](beast::error_code error, size_t) {
      if (error || self->answer_.need_eof()) return self->shut_down();
      self->read();
    });
  }

  // Ends our side and drops what the client still sends: closing at once would reset the connection, and the answer with it.
  void shut_down() {
    beast::error_code error;
    stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    stream_.expires_after(std::min<std::chrono::milliseconds>(options_.timeout, std::chrono::seconds(1)));
    if (!error) drop_rest();
  }
  void drop_rest() {
    stream_.async_read_some(asio::buffer(dropped_), [self = shared_from_this()](beast::error_code error, size_t) {
      if (!error) self->drop_rest();
    });
  }

  beast::tcp_stream stream_;
  const Server::Options& options_;
  const Handler& handler_;
  std::function<void(Connection*)> closed_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Answer answer_;
  std::array<char, 4096> dropped_;
};

}  // namespace

class Server::Listener {
 public:
  Listener(Options options, Handler handler) : options_(std::move(options)), handler_(std::move(handler)), acceptor_(context_) {}
  ~Listener() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      stopping_ = true;
      beast::error_code ignored;
      acceptor_.close(ignored);
      for (Connection* connection : connections_) connection->close();
    });
    thread_.join();
  }

  Result<> start() {
    const auto failed = [&](const beast::error_code& error) {
      return fail(ErrorClass::kUsage, "cannot listen on " + to_string(options_.address) + ": " + error.message());
    };
    beast::error_code error;
    const auto ip = asio::ip::make_address(options_.address.ip, error);
    if (error) return failed(error);
    const tcp::endpoint endpoint(ip, options_.address.port);
    if (acceptor_.open(endpoint.protocol(), error)) return failed(error);
    // A restart must not wait for old connections to fade.
    if (acceptor_.set_option(tcp::acceptor::reuse_address(true), error)) return failed(error);
    if (acceptor_.bind(endpoint, error)) return failed(error);
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error)) return failed(error);
    options_.address.port = acceptor_.local_endpoint(error).port();
    if (error) return failed(error);
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  const ListenAddress& address() const { return options_.address; }

 private:
  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      accepting_ = false;
      if (stopping_ || error == asio::error::operation_aborted) return;
      if (!error) {
        auto connection = std::make_shared<Connection>(std::move(socket), options_, handler_, [this](Connection* closed) { forget(closed); });
        connections_.insert(connection.get());
        connection->read();
      }
      if (connections_.size() < options_.max_connections) accept();
    });
  }
  void forget(Connection* closed) {
    connections_.erase(closed);
    if (!stopping_ && !accepting_ && connections_.size() < options_.max_connections) accept();
  }

  Options options_;
  const Handler handler_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  // On the server's thread only
  std::set<Connection*> connections_;
  bool accepting_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

Server::Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(Options options, Handler handler) {
  auto listener = std::make_unique<Listener>(std::move(options), std::move(handler));
  SEGUE_TRY(listener->start());
  return std::unique_ptr<Server>(new Server(std::move(listener)));
}

const ListenAddress& Server::address() const { return listener_->address(); }

}  // namespace segue::http
