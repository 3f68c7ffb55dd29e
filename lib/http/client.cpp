// SPDX-License-Identifier: Apache-2.0
#include "lib/http/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "lib/http/message_reader.h"

namespace segue::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

std::string request_text(const Client::Call& call) {
  std::string out = call.method + " " + call.target + " HTTP/1.1\r\nHost: " + to_string(call.address) + "\r\n";
  for (const Header& header : call.headers) out.append(header.name).append(": ").append(header.value).append("\r\n");
  if (!call.body.empty() || (call.method != "GET" && call.method != "HEAD")) out += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  return out.append("\r\n").append(call.body);
}

// No line break anywhere that would begin another header or request.
bool is_clean(const Client::Call& call) {
  const auto clean = [](const std::string& text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos; };
  const bool headers = std::all_of(call.headers.begin(), call.headers.end(), [&](const Header& one) { return clean(one.name) && clean(one.value); });
  return headers && clean(call.method) && clean(call.target) && call.target.starts_with('/') && call.target.find(' ') == std::string::npos;
}

}  // namespace

class Client::Worker {
 public:
  explicit Worker(Options options) : options_(std::move(options)) {}
  ~Worker();

  Result<> start();
  void send(Call call, Done done);

 private:
  class Link;
  void run(Call call, Done done);
  void keep(const std::shared_ptr<Link>& link);
  void drop(const std::shared_ptr<Link>& link);

  const Options options_;
  asio::io_context context_{1};
  std::optional<asio::ssl::context> tls_;
  // On its own thread
  std::map<std::string, std::vector<std::shared_ptr<Link>>> idle_;  // by address
  std::set<std::shared_ptr<Link>> busy_;
  // Any thread
  std::mutex mutex_;
  size_t requests_ = 0;
  bool closed_ = false;
  std::thread thread_;
};

// A connection to one address, and the exchange that is on it.
class Client::Worker::Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Worker& worker, const ListenAddress& address) : worker_(worker), address_(address), timer_(worker.context_) {
    if (worker.tls_) {
      tls_.emplace(worker.context_, *worker.tls_);
    } else {
      plain_.emplace(worker.context_);
    }
  }

  std::string place() const { return to_string(address_); }

  void run(Call call, Done done) {
    call_ = std::move(call);
    done_ = std::move(done);
    text_ = request_text(call_);
    reader_.emplace(worker_.options_.max_answer_bytes, call_.method == "HEAD");
    got_bytes_ = false;
    arm(worker_.options_.timeout);
    if (std::exchange(used_, true)) return write();
    error_code error;
    const auto ip = asio::ip::make_address(address_.ip, error);
    if (error) return look_up();
    socket().async_connect({ip, address_.port}, [self = shared_from_this()](error_code failed) { self->connected(failed); });
  }

  // Waits for the next exchange; ends when the other side closes, or after the idle time.
  void rest() {
    arm(worker_.options_.idle_timeout);
    resting_ = true;
    read();
  }
  void close() {
    timer_.cancel();
    if (resolver_) resolver_->cancel();
    error_code ignored;
    socket().close(ignored);
  }
  void fail_with(ErrorClass kind, const std::string& what) {
    const auto self = shared_from_this();  // the worker lets go of it here
    close();
    Done done = std::exchange(done_, nullptr);
    // A kept connection that the other side had closed: once more on a new one.
    const bool again = reused_ && !got_bytes_ && kind == ErrorClass::kRetry && !timed_out_;
    worker_.drop(self);
    if (!done) return;
    if (again) return worker_.run(std::move(call_), std::move(done));
    done(segue::fail(kind, place() + ": " + what));
  }
  // The next exchange begins; the read that waits goes on.
  void wake() {
    resting_ = false;
    reused_ = true;
  }

 private:
  tcp::socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }

  void arm(std::chrono::milliseconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error) return;
      self->timed_out_ = true;
      self->fail_with(ErrorClass::kRetry, "no answer in time");
    });
  }

  // A name: its addresses are tried in turn. The resolver has a thread of its own.
  void look_up() {
    resolver_.emplace(worker_.context_);
    resolver_->async_resolve(address_.ip, std::to_string(address_.port), [self = shared_from_this()](error_code error, const auto& places) {
      if (!self->done_) return;  // it took too long
      if (error) return self->fail_with(ErrorClass::kRetry, error.message());
      asio::async_connect(self->socket(), places, [self](error_code failed, const tcp::endpoint&) { self->connected(failed); });
    });
  }

  void connected(error_code failed) {
    if (!done_) return;
    if (failed) return fail_with(ErrorClass::kRetry, failed.message());
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    handshake();
  }

  void handshake() {
    if (!tls_) return write();
    tls_->set_verify_callback(asio::ssl::host_name_verification(address_.ip));
    tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](error_code failed) {
      if (failed) return self->fail_with(ErrorClass::kRetry, "TLS: " + failed.message());
      self->write();
    });
  }

  void write() {
    const auto written = [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->fail_with(ErrorClass::kRetry, error.message());
    };
    if (tls_) {
      asio::async_write(*tls_, asio::buffer(text_), written);
    } else {
      asio::async_write(*plain_, asio::buffer(text_), written);
    }
    read();
  }

  void read() {
    if (std::exchange(reading_, true)) return;
    const auto got = [self = shared_from_this()](error_code error, size_t bytes) { self->take(error, bytes); };
    if (tls_) {
      tls_->async_read_some(asio::buffer(buffer_), got);
    } else {
      plain_->async_read_some(asio::buffer(buffer_), got);
    }
  }

  void take(error_code error, size_t bytes) {
    reading_ = false;
    if (resting_) return fail_with(ErrorClass::kRetry, "closed");
    if (!done_) return;
    got_bytes_ = got_bytes_ || bytes > 0;
    waiting_.append(buffer_.data(), bytes);
    for (size_t used = 1; used > 0 && !reader_->is_done() && !reader_->is_failed();) {
      used = reader_->feed(waiting_);
      waiting_.erase(0, used);
    }
    // Under TLS an end without its goodbye is another error: it may be an attacker's.
    if (error == asio::error::eof && got_bytes_) reader_->end();
    if (reader_->is_failed() || waiting_.size() > kMostHeaderBytes)
      return fail_with(ErrorClass::kData, "the answer is not HTTP, is cut off or too large");
    if (reader_->is_done()) return finish(!error && reader_->keep_alive() && waiting_.empty());
    if (error) return fail_with(ErrorClass::kRetry, error.message());
    read();
  }

  void finish(bool keep) {
    Done done = std::exchange(done_, nullptr);
    Response response = reader_->take();
    timer_.cancel();
    if (keep) {
      worker_.keep(shared_from_this());
    } else {
      close();
      worker_.drop(shared_from_this());
    }
    done(std::move(response));
  }

  static constexpr size_t kMostHeaderBytes = 65536;

  Worker& worker_;
  const ListenAddress address_;
  std::optional<tcp::socket> plain_;
  std::optional<asio::ssl::stream<tcp::socket>> tls_;
  asio::steady_timer timer_;
  std::optional<tcp::resolver> resolver_;
  Call call_;
  Done done_;
  std::string text_;
  std::string waiting_;
  std::optional<ResponseReader> reader_;
  std::array<char, 16384> buffer_;
  bool used_ = false;
  bool reused_ = false;
  bool reading_ = false;
  bool resting_ = false;
  bool got_bytes_ = false;
  bool timed_out_ = false;
};

Client::Worker::~Worker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  asio::post(context_, [this] {
    for (auto& [place, links] : std::exchange(idle_, {}))
      for (const auto& link : links) link->close();
    while (!busy_.empty()) (*busy_.begin())->fail_with(ErrorClass::kData, "the client was closed");
    context_.stop();
  });
  thread_.join();
}

Result<> Client::Worker::start() {
  if (!options_.tls_ca_file.empty()) {
    tls_.emplace(asio::ssl::context::tls_client);
    error_code error;
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
    tls_->set_verify_mode(asio::ssl::verify_peer, error);
    if (tls_->load_verify_file(options_.tls_ca_file, error)) return fail(ErrorClass::kUsage, "TLS: " + options_.tls_ca_file + ": " + error.message());
  }
  thread_ = std::thread([this] {
    const auto work = asio::make_work_guard(context_);
    context_.run();
  });
  return {};
}

void Client::Worker::send(Call call, Done done) {
  if (!is_clean(call)) return done(fail(ErrorClass::kUsage, "a request has a line break or no path"));
  const char* refused = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || requests_ >= options_.max_requests) {
      refused = closed_ ? ": the client was closed" : ": too many requests are under way";
    } else {
      ++requests_;
      // Under the lock, so that none comes behind the end.
      asio::post(context_, [this, call, done] {
        run(call, [this, done](Result<Response> response) {
          {
            const std::lock_guard ended(mutex_);
            --requests_;
          }
          done(std::move(response));
        });
      });
    }
  }
  if (refused != nullptr) done(fail(ErrorClass::kRetry, to_string(call.address) + refused));
}

void Client::Worker::run(Call call, Done done) {
  auto& idle = idle_[to_string(call.address)];
  std::shared_ptr<Link> link;
  if (idle.empty()) {
    link = std::make_shared<Link>(*this, call.address);
  } else {
    link = idle.back();
    idle.pop_back();
    link->wake();
  }
  busy_.insert(link);
  link->run(std::move(call), std::move(done));
}

void Client::Worker::keep(const std::shared_ptr<Link>& link) {
  busy_.erase(link);
  auto& idle = idle_[link->place()];
  if (idle.size() >= options_.max_idle_connections) return link->close();
  idle.push_back(link);
  link->rest();
}

void Client::Worker::drop(const std::shared_ptr<Link>& link) {
  busy_.erase(link);
  const auto found = idle_.find(link->place());
  if (found == idle_.end()) return;
  std::erase(found->second, link);
  if (found->second.empty()) idle_.erase(found);
}

Client::Client(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::start(Options options) {
  auto worker = std::make_unique<Worker>(std::move(options));
  SEGUE_TRY(worker->start());
  return std::unique_ptr<Client>(new Client(std::move(worker)));
}

void Client::send(Call call, Done done) { worker_->send(std::move(call), std::move(done)); }

Result<Response> Client::ask(Call call) {
  std::promise<Result<Response>> promise;
  auto answer = promise.get_future();
  worker_->send(std::move(call), [&](Result<Response> response) { promise.set_value(std::move(response)); });
  return answer.get();
}

}  // namespace segue::http
