// SPDX-License-Identifier: Apache-2.0
#include "lib/http/responder.h"

#include <atomic>

namespace segue::http {
namespace {

class FunctionPort : public AnswerPort {
 public:
  explicit FunctionPort(std::function<void(Response)> take) : take_(std::move(take)) {}
  void answer(const Ticket&, Response response) override { take_(std::move(response)); }
  std::shared_ptr<StreamQueue> start_stream(const Ticket&, Response head) override {
    take_(std::move(head));
    auto queue = std::make_shared<StreamQueue>(0, [] {});
    queue->close();
    return queue;
  }

 private:
  const std::function<void(Response)> take_;
};

}  // namespace

class Responder::Exchange {
 public:
  Exchange(std::shared_ptr<AnswerPort> port, Ticket ticket) : port_(std::move(port)), ticket_(ticket) {}
  ~Exchange() {
    if (!answered_) port_->answer(ticket_, problem(500, "no answer was given"));
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  bool claim() { return !answered_.exchange(true); }
  AnswerPort& port() const { return *port_; }
  const Ticket& ticket() const { return ticket_; }

 private:
  const std::shared_ptr<AnswerPort> port_;
  const Ticket ticket_;
  std::atomic<bool> answered_{false};
};

Responder::Responder(std::shared_ptr<AnswerPort> port, Ticket ticket) : exchange_(std::make_shared<Exchange>(std::move(port), ticket)) {}
Responder::Responder(std::function<void(Response)> take) : Responder(std::make_shared<FunctionPort>(std::move(take)), {}) {}

void Responder::send(Response response) const {
  if (exchange_->claim()) exchange_->port().answer(exchange_->ticket(), std::move(response));
}

Stream Responder::stream(Response head) const {
  if (!exchange_->claim()) return {};
  return Stream(exchange_->port().start_stream(exchange_->ticket(), std::move(head)));
}

AsyncHandler answer_at_once(Handler handler) {
  return [handler = std::move(handler)](const Request& request, const Responder& responder) { responder.send(handler(request)); };
}

}  // namespace segue::http
