// SPDX-License-Identifier: Apache-2.0
#include "lib/http/connection.h"

#include <algorithm>
#include <utility>

#include "lib/http/answer_text.h"
#include "lib/http/gzip.h"

namespace segue::http {
namespace {

namespace asio = boost::asio;

constexpr size_t kFirstBufferBytes = 4096;
constexpr size_t kLargestBufferBytes = 65536;
constexpr std::chrono::milliseconds kLongestLinger{1000};

bool is_known_method(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

size_t size_of(const Buffers& buffers) { return buffers[0].size() + buffers[1].size(); }

}  // namespace

Connection::Connection(uint64_t id, std::unique_ptr<Transport> transport, ConnectionHost& host)
    : id_(id), transport_(std::move(transport)), host_(host), buffer_(kFirstBufferBytes), reader_(host.options().max_header_bytes) {
  boost::system::error_code error;
  const auto remote = transport_->socket().remote_endpoint(error);
  if (!error) remote_ip_ = remote.address().to_string(error);
  transport_->socket().set_option(asio::ip::tcp::no_delay(true), error);
}

void Connection::start() {
  wait_for(host_.options().request_timeout);
  transport_->handshake({shared_from_this(), &Connection::on_handshake});
}

// ---- Reading

void Connection::on_handshake(boost::system::error_code error, size_t) {
  if (error || state_ != State::kHandshake) return close();
  state_ = State::kReading;
  wait_for(host_.options().idle_timeout);
  read();
}

void Connection::read() {
  if (read_pending_ || state_ == State::kClosed) return;
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<ptrdiff_t>(begin_), buffer_.begin() + static_cast<ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  // A head stays in the buffer until it is whole.
  const size_t largest = std::max(kLargestBufferBytes, host_.options().max_header_bytes + kFirstBufferBytes);
  if (end_ == buffer_.size()) buffer_.resize(std::min(2 * buffer_.size(), largest));
  if (end_ == buffer_.size()) return;  // only while an answer is streamed: the client pipelines more than anybody needs
  read_pending_ = true;
  transport_->read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), {shared_from_this(), &Connection::on_read});
}

void Connection::on_read(boost::system::error_code error, size_t bytes) {
  read_pending_ = false;
  if (state_ == State::kClosed) return;
  if (error) return close();
  end_ += bytes;
  if (state_ == State::kStreaming) return read();  // to learn when the client goes
  advance();
}

// Takes what is in the buffer, request by request, as long as answers are given at once.
void Connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  while (state_ == State::kReading && advance_once()) {
  }
  advancing_ = false;
}

// False: waits for bytes.
bool Connection::advance_once() {
  if (begin_ < end_ && !std::exchange(started_, true)) wait_for(host_.options().request_timeout);
  const size_t used = reader_.feed({buffer_.data() + begin_, end_ - begin_});
  begin_ += used;
  if (reader_.state() == RequestReader::State::kFailed) {
    if (!admitted_) method_ = "other";
    keep_alive_ = false;
    finish(problem(reader_.failure()));
    return true;
  }
  if (!admitted_ && reader_.state() != RequestReader::State::kHead) {
    admitted_ = true;
    if (!admit()) return state_ == State::kReading;
  }
  if (reader_.state() == RequestReader::State::kDone) {
    dispatch();
    return true;
  }
  if (used > 0 && begin_ < end_) return true;
  read();
  return false;
}

unsigned Connection::fault_of(const Request& request, std::string& detail) const {
  if (!is_known_method(request.method)) return 501;
  if (request.path.empty()) {
    detail = "the target is not a path";
    return 400;
  }
  if (const auto expected = request.find_header("Expect"); expected && !equal_ignoring_case(*expected, "100-continue")) return 417;
  return 0;
}

// Looks at the head before the body comes. False where it was refused.
bool Connection::admit() {
  keep_alive_ = reader_.keep_alive();
  request_ = reader_.take_head();
  request_.remote_ip = remote_ip_;
  method_ = is_known_method(request_.method) ? request_.method : "other";
  handled_ = Clock::now();
  std::string detail;
  if (const unsigned fault = fault_of(request_, detail); fault != 0) return refuse(problem(fault, detail));
  Response refusal;
  route_ = host_.router().admit(request_, refusal);
  route_path_ = request_.route;
  token_name_ = request_.token_name;
  if (route_ == nullptr) return refuse(std::move(refusal));
  const size_t limit = route_->options.max_body_bytes > 0 ? route_->options.max_body_bytes : host_.options().max_body_bytes;
  if (!reader_.limit_body(limit)) return refuse(problem(413, "a body has at most " + std::to_string(limit) + " bytes here"));
  const std::string_view coding = request_.header("Content-Encoding");
  if (!coding.empty() && !equal_ignoring_case(coding, "gzip") && !equal_ignoring_case(coding, "identity")) {
    Response unsupported = problem(415, "a body is plain or gzip");
    unsupported.headers.push_back({"Accept-Encoding", "gzip"});
    return refuse(std::move(unsupported));
  }
  if (reader_.state() != RequestReader::State::kDone && begin_ == end_ && reader_.expects_continue()) {
    // 25 bytes into an empty socket buffer; a client that does not get them sends the body after a second by itself.
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const Buffers bytes = {asio::buffer(kContinue.data(), kContinue.size()), asio::const_buffer()};
    if (transport_->write_now(bytes) == 0) {
      write_pending_ = true;
      transport_->write_some(bytes, {shared_from_this(), &Connection::on_continued});
    }
  }
  return true;
}

// Answers before the body is there. A body that is already in the buffer is dropped, else the connection ends: nobody reads on for its sake.
bool Connection::refuse(Response refusal) {
  reader_.limit_body(host_.options().max_body_bytes);
  while (reader_.state() == RequestReader::State::kBody && begin_ < end_) {
    const size_t used = reader_.feed({buffer_.data() + begin_, end_ - begin_});
    begin_ += used;
    if (used == 0) break;
  }
  keep_alive_ = keep_alive_ && reader_.state() == RequestReader::State::kDone;
  finish(std::move(refusal));
  return false;
}

void Connection::dispatch() {
  request_.body = reader_.take_body();
  if (equal_ignoring_case(request_.header("Content-Encoding"), "gzip")) {
    const size_t limit = route_->options.max_body_bytes > 0 ? route_->options.max_body_bytes : host_.options().max_body_bytes;
    auto plain = gunzip(request_.body, limit);
    if (!plain) {
      if (plain.error() == GunzipError::kDamaged) return finish(problem(400, "the body is not gzip"));
      return finish(problem(413, "a decompressed body has at most " + std::to_string(limit) + " bytes here"));
    }
    request_.body = std::move(*plain);
  }
  request_bytes_ = request_.body.size();
  state_ = State::kHandling;
  wait_for(host_.options().answer_timeout);
  handled_ = Clock::now();
  route_->handler(std::move(request_), Responder(host_.port(), {id_, request_number_}));
}

// ---- Answers

void Connection::answer(uint64_t request, Response response) {
  if (state_ != State::kHandling || request != request_number_) return;  // too late
  finish(std::move(response));
}

void Connection::tell(unsigned status, size_t response_bytes) {
  const auto& options = host_.options();
  if (!options.metrics && !options.on_answer) return;
  const auto duration = admitted_ ? std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - handled_) : std::chrono::microseconds(0);
  if (options.metrics) options.metrics->count(method_, route_path_, status, duration);
  if (options.on_answer) options.on_answer({method_, route_path_, status, duration, request_bytes_, response_bytes, remote_ip_, token_name_});
}

void Connection::finish(Response response) {
  response_ = std::move(response);
  keep_alive_ = keep_alive_ && !response_.close && !host_.draining();
  head_ = head_text(response_, {.minor_version = admitted_ ? reader_.minor_version() : 1, .keep_alive = keep_alive_, .date = host_.date()});
  const std::string_view body = method_ == "HEAD" || response_.status == 204 || response_.status == 304 ? std::string_view() : response_.content();
  tell(response_.status, body.size());
  state_ = State::kWriting;
  writing_ = {asio::buffer(head_), asio::buffer(body.data(), body.size())};
  write();
}

// Writes what stands in writing_; what the socket takes at once costs no turn.
void Connection::write() {
  if (write_pending_) return;  // 100 Continue is still on its way
  wait_for(host_.options().write_timeout);
  if (take_written(transport_->write_now(writing_))) return after_write();
  write_pending_ = true;
  transport_->write_some(writing_, {shared_from_this(), &Connection::on_written});
}

// True when everything is written.
bool Connection::take_written(size_t bytes) {
  const size_t first = std::min(bytes, writing_[0].size());
  writing_[0] += first;
  writing_[1] += bytes - first;
  return size_of(writing_) == 0;
}

void Connection::on_written(boost::system::error_code error, size_t bytes) {
  write_pending_ = false;
  if (state_ == State::kClosed) return;
  if (error) return close();
  if (!take_written(bytes)) return write();
  after_write();
}

// The answer to a short body may be waiting already.
void Connection::on_continued(boost::system::error_code error, size_t) {
  write_pending_ = false;
  if (error) return close();
  if (state_ == State::kWriting || state_ == State::kStreaming) write();
}

void Connection::after_write() {
  if (state_ == State::kStreaming) {
    stream_->written();
    if (!stream_ended_) return pump(request_number_);
    std::exchange(stream_, nullptr)->close();
  }
  if (!keep_alive_) return linger();
  ++request_number_;
  reader_.reset();
  started_ = admitted_ = stream_ended_ = false;
  route_path_ = {};
  token_name_.clear();
  request_bytes_ = 0;
  response_ = {};
  state_ = State::kReading;
  wait_for(host_.options().idle_timeout);
  advance();
}

// ---- Streams

void Connection::start_stream(uint64_t request, const Response& head, std::shared_ptr<StreamQueue> queue) {
  if (state_ != State::kHandling || request != request_number_) return queue->close();
  if (method_ == "HEAD") {
    queue->close();
    Response empty = head;
    empty.body.clear();
    empty.shared_body.reset();
    return finish(std::move(empty));
  }
  if (reader_.minor_version() == 0) keep_alive_ = false;
  tell(head.status, 0);
  head_ = head_text(head,
                    {.minor_version = reader_.minor_version(), .keep_alive = keep_alive_ && !host_.draining(), .stream = true, .date = host_.date()});
  stream_ = std::move(queue);
  state_ = State::kStreaming;
  writing_ = {asio::buffer(head_), asio::const_buffer()};
  read();
  write();
}

void Connection::pump(uint64_t request) {
  if (state_ != State::kStreaming || request != request_number_ || size_of(writing_) > 0 || write_pending_) return;
  StreamQueue::Taken taken = stream_->take();
  if (taken.aborted) return close();
  stream_ended_ = taken.ended;
  if (taken.bytes.empty() && !taken.ended) {
    deadline_ = Clock::time_point::max();  // nothing to write: the client may wait as long as it likes
    return;
  }
  head_.clear();
  if (reader_.minor_version() == 0) {
    head_ = std::move(taken.bytes);
  } else {
    append_chunk(head_, taken.bytes);
    if (taken.ended) head_ += kLastChunk;
  }
  writing_ = {asio::buffer(head_), asio::const_buffer()};
  write();
}

// ---- Ends

void Connection::tick(Clock::time_point now) {
  if (now < deadline_) return;
  const bool half = state_ == State::kReading && started_;
  if (!half && state_ != State::kHandling) return close();
  keep_alive_ = false;
  if (!admitted_) method_ = "other";
  finish(half ? problem(408, "the request did not come in time") : problem(503, "no answer in time"));
}

void Connection::drain() {
  if (state_ == State::kHandshake || state_ == State::kStreaming || is_idle()) return close();
  keep_alive_ = false;
}

bool Connection::is_idle() const { return state_ == State::kReading && !started_; }
Connection::Clock::time_point Connection::idle_since() const { return deadline_ - host_.options().idle_timeout; }

// Ends our side and drops what the client still sends: closing at once would reset the connection, and the answer with it.
void Connection::linger() {
  state_ = State::kLingering;
  wait_for(std::min(host_.options().request_timeout, kLongestLinger));
  if (transport_->shut_down({shared_from_this(), &Connection::on_shut_down})) on_lingering({}, 0);
}

void Connection::on_shut_down(boost::system::error_code, size_t) { close(); }

void Connection::on_lingering(boost::system::error_code error, size_t) {
  if (state_ != State::kLingering) return;
  if (error) return close();
  if (read_pending_) return;  // of a stream that ended: its completion closes
  transport_->read_some(asio::buffer(buffer_), {shared_from_this(), &Connection::on_lingering});
}

void Connection::close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  boost::system::error_code ignored;
  transport_->socket().close(ignored);
  if (stream_) std::exchange(stream_, nullptr)->close();
  host_.forget(id_);
}

}  // namespace segue::http
