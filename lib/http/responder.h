// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "lib/http/message.h"
#include "lib/http/stream.h"

namespace segue::http {

// Which request an answer belongs to.
struct Ticket {
  uint64_t connection = 0;
  uint64_t request = 0;
};

// Where responders put their answers: a server's I/O thread, or a test. Thread-safe.
class AnswerPort {
 public:
  virtual ~AnswerPort() = default;
  virtual void answer(const Ticket& ticket, Response response) = 0;
  // The head of a body that goes on; what its writers write is in the queue.
  virtual std::shared_ptr<StreamQueue> start_stream(const Ticket& ticket, Response head) = 0;
};

// The answer to one request, owed by whoever holds it. A handle; copies are the same answer, the first that is given counts. When the last one goes
// and none was given, the client gets 500. Any thread; may outlive the server.
class Responder {
 public:
  Responder(std::shared_ptr<AnswerPort> port, Ticket ticket);
  // For tests and calls within the process: `send` calls `take`, streams are gone at once.
  explicit Responder(std::function<void(Response)> take);

  void send(Response response) const;
  // Status, content type and headers of `head`; its body is not looked at. A stream that is gone where an answer was already given.
  Stream stream(Response head) const;

 private:
  class Exchange;
  std::shared_ptr<Exchange> exchange_;
};

// Answers now or later, from any thread. Called on a server's thread; must not block for long and must not throw.
using AsyncHandler = std::function<void(Request, Responder)>;

AsyncHandler answer_at_once(Handler handler);

}  // namespace segue::http
