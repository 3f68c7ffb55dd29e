// SPDX-License-Identifier: Apache-2.0
#include "lib/http/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include "lib/http/connection.h"

namespace segue::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// One I/O thread with its connections; answers from other threads come in by a list, with one wake for all that wait.
class Loop : public ConnectionHost, public AnswerPort, public std::enable_shared_from_this<Loop> {
 public:
  Loop(const Server::Options& options, const Router& router, std::function<void()> released)
      : options_(options), router_(router), max_stream_bytes_(options.max_stream_bytes), released_(std::move(released)), timer_(context_) {
    const auto shortest = std::min({options.request_timeout, options.idle_timeout, options.answer_timeout, options.write_timeout});
    period_ = std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(200));
  }

  asio::io_context& context() { return context_; }
  void start() {
    tick();
    thread_ = std::thread([this] {
      id_ = std::this_thread::get_id();
      context_.run();
    });
  }
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      timer_.cancel();
      while (!connections_.empty()) connections_.begin()->second->close();
      context_.stop();
    });
    thread_.join();
    std::vector<Posted> rest;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      rest.swap(posted_);
    }
    for (const Posted& posted : rest)
      if (posted.queue) posted.queue->close();
  }
  void take(std::unique_ptr<Transport> transport) {
    auto connection = std::make_shared<Connection>(++last_id_, std::move(transport), *this);
    connections_.emplace(last_id_, connection);
    connection->start();
  }
  // Ends the connection that has waited longest for a request, so that another can come; none that had one in the last half second.
  void close_an_idle_one() {
    std::shared_ptr<Connection> longest;
    for (const auto& [id, connection] : connections_)
      if (connection->is_idle() && (!longest || connection->idle_since() < longest->idle_since())) longest = connection;
    if (longest && Clock::now() - longest->idle_since() > std::chrono::milliseconds(500)) longest->close();
  }
  void drain() {
    draining_ = true;
    for (const auto& connection : connections()) connection->drain();
  }
  void end_streams_of(const std::vector<std::string>& tokens) {
    for (const auto& connection : connections())
      if (connection->is_streaming() && std::find(tokens.begin(), tokens.end(), connection->token_name()) != tokens.end()) connection->close();
  }

  // AnswerPort: any thread
  void answer(const Ticket& ticket, Response response) override { post({ticket, Kind::kAnswer, std::move(response), nullptr}); }
  std::shared_ptr<StreamQueue> start_stream(const Ticket& ticket, Response head) override {
    const std::weak_ptr<Loop> weak = weak_from_this();
    auto queue = std::make_shared<StreamQueue>(max_stream_bytes_, [weak, ticket] {
      if (const auto loop = weak.lock()) loop->post({ticket, Kind::kPump, {}, nullptr});
    });
    post({ticket, Kind::kStream, std::move(head), queue});
    return queue;
  }

  // ConnectionHost: its own thread
  const Server::Options& options() const override { return options_; }
  const Router& router() const override { return router_; }
  std::shared_ptr<AnswerPort> port() override { return shared_from_this(); }
  bool draining() const override { return draining_; }
  std::string_view date() override { return date_; }
  void forget(uint64_t connection) override {
    connections_.erase(connection);
    released_();
  }
  void deliver() override {
    for (;;) {
      delivered_.clear();
      {
        const std::lock_guard lock(mutex_);
        woken_ = false;
        if (posted_.empty()) return;
        delivered_.swap(posted_);
      }
      for (Posted& posted : delivered_) hand_out(posted);
    }
  }

 private:
  enum class Kind : uint8_t { kAnswer, kStream, kPump };
  struct Posted {
    Ticket ticket;
    Kind kind;
    Response response;
    std::shared_ptr<StreamQueue> queue;
  };

  // One that ends goes from the table.
  std::vector<std::shared_ptr<Connection>> connections() const {
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [id, connection] : connections_) all.push_back(connection);
    return all;
  }

  void post(Posted posted) {
    {
      const std::lock_guard lock(mutex_);
      if (!closed_) {
        posted_.push_back(std::move(posted));
        // On its own thread the present turn ends with deliver().
        if (std::this_thread::get_id() == id_ || std::exchange(woken_, true)) return;
      }
    }
    if (posted.queue) return posted.queue->close();
    asio::post(context_, [this] { deliver(); });
  }

  void hand_out(Posted& posted) {
    const auto found = connections_.find(posted.ticket.connection);
    if (found == connections_.end()) {
      if (posted.queue) posted.queue->close();
      return;
    }
    const auto connection = found->second;
    if (posted.kind == Kind::kAnswer) {
      connection->answer(posted.ticket.request, std::move(posted.response));
    } else if (posted.kind == Kind::kStream) {
      connection->start_stream(posted.ticket.request, posted.response, std::move(posted.queue));
    } else {
      connection->pump(posted.ticket.request);
    }
  }

  // Deadlines are looked at a few times a second: a timer a request would cost more than the request.
  void tick() {
    set_date();
    timer_.expires_after(period_);
    timer_.async_wait([this](error_code error) {
      if (error) return;
      const auto now = Clock::now();
      for (const auto& connection : connections()) connection->tick(now);
      deliver();
      tick();
    });
  }
  void set_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }

  // Of the listener: only its own thread looks there, which ends before it.
  const Server::Options& options_;
  const Router& router_;
  const size_t max_stream_bytes_;
  const std::function<void()> released_;  // a connection went
  asio::io_context context_{1};
  asio::steady_timer timer_;
  std::chrono::milliseconds period_;
  std::atomic<std::thread::id> id_;
  // Its own thread
  std::unordered_map<uint64_t, std::shared_ptr<Connection>> connections_;
  uint64_t last_id_ = 0;
  bool draining_ = false;
  std::string date_;
  std::vector<Posted> delivered_;
  // Any thread
  std::mutex mutex_;
  std::vector<Posted> posted_;
  bool woken_ = false;
  bool closed_ = false;
  std::thread thread_;
};

Result<std::shared_ptr<asio::ssl::context>> load_tls(const TlsFiles& files) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  const auto failed = [&](const std::string& file) { return fail(ErrorClass::kUsage, "TLS: " + file + ": " + error.message()); };
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                           asio::ssl::context::single_dh_use | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE,
                       error);
  if (context->use_certificate_chain_file(files.certificate_file, error)) return failed(files.certificate_file);
  if (context->use_private_key_file(files.key_file, asio::ssl::context::pem, error)) return failed(files.key_file);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) return fail(ErrorClass::kUsage, "TLS: the key is not the certificate's");
  return context;
}

}  // namespace

class Server::Listener {
 public:
  Listener(Options options, Router router) : options_(std::move(options)), router_(std::move(router)) {
    for (size_t i = 0; i < std::max<size_t>(options_.threads, 1); ++i)
      loops_.push_back(std::make_shared<Loop>(options_, router_, [this] { release(); }));
    acceptor_.emplace(loops_[0]->context());
    retry_.emplace(loops_[0]->context());
  }
  ~Listener() {
    for (const auto& loop : loops_) loop->stop();
  }

  Result<> start() {
    if (router_.is_open() && !is_loopback(options_.address)) {
      return fail(ErrorClass::kUsage, "no tokens are configured: " + to_string(options_.address) + " is not served, only loopback would be");
    }
    SEGUE_TRY(load_certificate());
    SEGUE_TRY(bind());
    if (options_.metrics)
      for (const auto& route : router_.routes()) options_.metrics->add_route(route->method, route->path);
    accept();
    for (const auto& loop : loops_) loop->start();
    return {};
  }

  const ListenAddress& address() const { return options_.address; }

  bool drain(std::chrono::milliseconds limit) {
    asio::post(loops_[0]->context(), [this] {
      stopping_ = true;
      error_code ignored;
      acceptor_->close(ignored);
    });
    for (const auto& loop : loops_) asio::post(loop->context(), [loop = loop.get()] { loop->drain(); });
    std::unique_lock lock(mutex_);
    return released_.wait_for(lock, limit, [this] { return connections_ == 0; });
  }

  Result<bool> reload() {
    const auto& keyring = router_.keyring();
    const bool has_tokens = keyring && !keyring->is_fixed();
    const auto loaded = load_certificate();
    if (has_tokens) {
      const auto changed = keyring->reload();
      if (!changed) {
        Error error = changed.error();
        if (!loaded) error.message += "; " + loaded.error().message;
        return tl::unexpected<Error>(std::move(error));
      }
      for (const auto& loop : loops_) asio::post(loop->context(), [loop = loop.get(), names = *changed] { loop->end_streams_of(names); });
    }
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return has_tokens || options_.tls;
  }

 private:
  Result<> load_certificate() {
    if (!options_.tls) return {};
    auto context = load_tls(*options_.tls);
    if (!context) return tl::unexpected<Error>(std::move(context.error()));
    const std::lock_guard lock(mutex_);
    tls_ = std::move(*context);
    return {};
  }

  Result<> bind() {
    const auto failed = [&](const error_code& error) {
      return fail(ErrorClass::kRetry, "cannot listen on " + to_string(options_.address) + ": " + error.message());
    };
    error_code error;
    const auto ip = asio::ip::make_address(options_.address.ip, error);
    if (error) return failed(error);
    const tcp::endpoint endpoint(ip, options_.address.port);
    if (acceptor_->open(endpoint.protocol(), error)) return failed(error);
    // A restart must not wait for old connections to fade.
    if (acceptor_->set_option(tcp::acceptor::reuse_address(true), error)) return failed(error);
    if (acceptor_->bind(endpoint, error)) return failed(error);
    if (acceptor_->listen(asio::socket_base::max_listen_connections, error)) return failed(error);
    options_.address.port = acceptor_->local_endpoint(error).port();
    if (error) return failed(error);
    return {};
  }

  // On the first loop's thread.
  void accept() {
    if (stopping_) return;
    Loop& loop = *loops_[next_++ % loops_.size()];
    acceptor_->async_accept(loop.context(), [this, &loop](error_code error, tcp::socket socket) {
      if (stopping_ || error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      auto transport = make_transport(std::move(socket));
      bool full = false;
      {
        const std::lock_guard lock(mutex_);
        full = paused_ = ++connections_ >= options_.max_connections;
      }
      if (options_.metrics) options_.metrics->connection_opened();
      // Shared, because a posted function is copied.
      auto shared = std::make_shared<std::unique_ptr<Transport>>(std::move(transport));
      asio::post(loop.context(), [&loop, shared] {
        loop.take(std::move(*shared));
        loop.deliver();
      });
      if (full) {
        wait_for_room();
      } else {
        accept();
      }
    });
  }
  // All connections are in use: when somebody else comes, an idle one goes for him.
  void wait_for_room() {
    if (std::exchange(waiting_, true)) return;
    acceptor_->async_wait(tcp::acceptor::wait_read, [this](error_code error) {
      waiting_ = false;
      if (error || stopping_ || !is_paused()) return;
      for (const auto& loop : loops_) asio::post(loop->context(), [loop = loop.get()] { loop->close_an_idle_one(); });
      retry_->expires_after(std::chrono::milliseconds(50));
      retry_->async_wait([this](error_code late) {
        if (!late && is_paused()) wait_for_room();
      });
    });
  }
  bool is_paused() {
    const std::lock_guard lock(mutex_);
    return paused_;
  }
  std::unique_ptr<Transport> make_transport(tcp::socket socket) {
    const std::lock_guard lock(mutex_);
    return tls_ ? make_tls_transport(std::move(socket), tls_) : make_plain_transport(std::move(socket));
  }
  // No file descriptor is free, mostly.
  void accept_later() {
    retry_->expires_after(std::chrono::milliseconds(50));
    retry_->async_wait([this](error_code error) {
      if (!error) accept();
    });
  }
  // A connection went; any loop's thread.
  void release() {
    if (options_.metrics) options_.metrics->connection_closed();
    bool resume = false;
    {
      const std::lock_guard lock(mutex_);
      --connections_;
      resume = std::exchange(paused_, false);
      released_.notify_all();
    }
    if (resume) asio::post(loops_[0]->context(), [this] { accept(); });
  }

  Options options_;
  const Router router_;
  std::vector<std::shared_ptr<Loop>> loops_;
  // On the first loop's thread
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> retry_;
  size_t next_ = 0;
  bool stopping_ = false;
  bool waiting_ = false;
  // Any thread
  std::mutex mutex_;
  std::condition_variable released_;
  size_t connections_ = 0;
  bool paused_ = false;
  std::shared_ptr<asio::ssl::context> tls_;
};

Server::Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(Options options, Router router) {
  auto listener = std::make_unique<Listener>(std::move(options), std::move(router));
  SEGUE_TRY(listener->start());
  return std::unique_ptr<Server>(new Server(std::move(listener)));
}

const ListenAddress& Server::address() const { return listener_->address(); }
bool Server::drain(std::chrono::milliseconds limit) { return listener_->drain(limit); }
Result<bool> Server::reload() { return listener_->reload(); }

Result<> check_tls_files(const TlsFiles& files) {
  SEGUE_TRY(load_tls(files));
  return {};
}

bool is_loopback(const ListenAddress& address) {
  error_code error;
  const auto ip = asio::ip::make_address(address.ip, error);
  return !error && ip.is_loopback();
}

}  // namespace segue::http
