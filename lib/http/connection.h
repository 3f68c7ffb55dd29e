// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/http/message_reader.h"
#include "lib/http/server.h"
#include "lib/http/transport.h"

namespace segue::http {

// What a connection needs of the thread that it lives on.
class ConnectionHost {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~ConnectionHost() = default;
  virtual const Server::Options& options() const = 0;
  virtual const Router& router() const = 0;
  virtual std::shared_ptr<AnswerPort> port() = 0;
  // Hands out the answers that came meanwhile; at the end of every completion.
  virtual void deliver() = 0;
  virtual bool draining() const = 0;
  virtual std::string_view date() = 0;
  virtual void forget(uint64_t connection) = 0;
};

// One connection: request, answer, request, … On one thread only. Kept by its host, and by the operations that it waits for.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = ConnectionHost::Clock;

  Connection(uint64_t id, std::unique_ptr<Transport> transport, ConnectionHost& host);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void answer(uint64_t request, Response response);
  void start_stream(uint64_t request, const Response& head, std::shared_ptr<StreamQueue> queue);
  // The stream's queue has something.
  void pump(uint64_t request);
  // Looks at the deadline.
  void tick(Clock::time_point now);
  // Ends at once if it waits for a request, after the answer if one is owed; streams end.
  void drain();
  void close();
  bool is_idle() const;
  // Requires is_idle.
  Clock::time_point idle_since() const;
  bool is_streaming() const { return state_ == State::kStreaming; }
  // Of the present request.
  const std::string& token_name() const { return token_name_; }
  void end_turn() { host_.deliver(); }

 private:
  enum class State : uint8_t { kHandshake, kReading, kHandling, kWriting, kStreaming, kLingering, kClosed };

  // Reading
  void read();
  void on_handshake(boost::system::error_code error, size_t);
  void on_read(boost::system::error_code error, size_t bytes);
  void advance();
  bool advance_once();
  bool admit();
  bool refuse(Response refusal);
  unsigned fault_of(const Request& request, std::string& detail) const;
  void dispatch();
  // Writing
  void finish(Response response);
  void write();
  void on_written(boost::system::error_code error, size_t bytes);
  void on_continued(boost::system::error_code error, size_t bytes);
  bool take_written(size_t bytes);
  void after_write();
  void linger();
  void on_lingering(boost::system::error_code error, size_t bytes);
  void on_shut_down(boost::system::error_code error, size_t bytes);
  void tell(unsigned status, size_t response_bytes);
  void wait_for(std::chrono::milliseconds limit) { deadline_ = Clock::now() + limit; }

  const uint64_t id_;
  const std::unique_ptr<Transport> transport_;
  ConnectionHost& host_;
  std::string remote_ip_;
  State state_ = State::kHandshake;
  Clock::time_point deadline_;

  // Bytes received and not taken: buffer_[begin_, end_)
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool read_pending_ = false;
  bool advancing_ = false;

  // The present request
  RequestReader reader_;
  bool started_ = false;   // bytes of it are there
  bool admitted_ = false;  // head taken
  bool keep_alive_ = true;
  uint64_t request_number_ = 0;
  Request request_;
  const Router::Route* route_ = nullptr;
  Clock::time_point handled_;
  size_t request_bytes_ = 0;
  std::string method_;
  std::string_view route_path_;
  std::string token_name_;

  // The present answer
  std::string head_;
  Response response_;
  Buffers writing_;
  bool write_pending_ = false;
  std::shared_ptr<StreamQueue> stream_;
  bool stream_ended_ = false;
};

}  // namespace segue::http
