// SPDX-License-Identifier: Apache-2.0
// What happens on one connection: answers that come later, streams, bodies, deadlines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "lib/http/gzip.h"
#include "lib/http/server.h"
#include "tests/unit/http/socket.h"

namespace segue::http {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kGet = "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

struct Fixture {
  explicit Fixture(AsyncHandler handler, Server::Options options = {}) {
    Router router;
    router.add("GET", "/x", handler);
    router.add("POST", "/x", handler, {.max_body_bytes = 1000});
    options.address = {"127.0.0.1", 0};
    server = std::move(*Server::start(options, router));
  }
  uint16_t port() const { return server->address().port; }
  std::string ask(std::string_view request) {
    Socket socket(port());
    socket.send(request);
    return socket.read_all();
  }
  std::unique_ptr<Server> server;
};

// Hands out what a handler was given.
template <class T>
class Slot {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    changed_.notify_all();
  }
  T take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return value_.has_value(); });
    return *std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

AsyncHandler echo_body() {
  return answer_at_once([](const Request& request) { return Response{.body = "[" + request.body + "]"}; });
}
std::string post(std::string_view body, std::string_view headers = "") {
  return "POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(Connection, AnAnswerMayComeLaterFromAnotherThread) {
  Slot<Responder> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder); });
  std::thread other([&] { slot.take().send({.body = "late"}); });
  EXPECT_THAT(one.ask(kGet), EndsWith("late"));
  other.join();
}

TEST(Connection, AnAnswerThatIsForgottenIs500) {
  Fixture one([](const Request&, const Responder&) {});
  EXPECT_THAT(one.ask(kGet), StartsWith("HTTP/1.1 500 "));
}

TEST(Connection, AnAnswerThatTakesTooLongIs503AndTheLateOneIsDropped) {
  Slot<Responder> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder); }, {.answer_timeout = milliseconds(20)});
  EXPECT_THAT(one.ask(kGet), StartsWith("HTTP/1.1 503 "));
  slot.take().send({.body = "late"});
}

TEST(Connection, AResponderMayOutliveTheServer) {
  Slot<Responder> slot;
  auto one = std::make_unique<Fixture>([&](const Request&, const Responder& responder) { slot.put(responder); });
  Socket socket(one->port());
  socket.send(kGet);
  const Responder responder = slot.take();
  one.reset();
  responder.send({});
  EXPECT_EQ(socket.read_all(), "");
}

TEST(Connection, PipelinedRequestsWaitForTheAnswerBefore) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  Fixture one([&](const Request& request, const Responder& responder) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([query = request.query, responder] { responder.send({.body = "<" + query + ">"}); });
  });
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += "GET /x?" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string answer = one.ask(requests + kGet);
  size_t place = 0;
  for (int i = 0; i < 200; ++i) place = answer.find("<" + std::to_string(i) + ">", place);
  EXPECT_NE(place, std::string::npos);
  for (auto& thread : threads) thread.join();
}

TEST(Connection, ManyPipelinedRequestsNeedNoStack) {
  Fixture one(echo_body());
  std::string requests;
  for (int i = 0; i < 20'000; ++i) requests += "GET /none HTTP/1.1\r\nHost: h\r\n\r\n";
  Socket socket(one.port());
  std::thread writer([&] {
    socket.send(requests);
    socket.send(kGet);
  });
  EXPECT_THAT(socket.read_all(), EndsWith("[]"));
  writer.join();
}

TEST(Connection, DecompressesBodies) {
  Fixture one(echo_body());
  EXPECT_THAT(one.ask(post(gzip("hello"), "Content-Encoding: gzip\r\n")), EndsWith("[hello]"));
  EXPECT_THAT(one.ask(post("no gzip", "Content-Encoding: gzip\r\n")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(one.ask(post(gzip(std::string(1'000'000, 'x')).substr(0, 900), "Content-Encoding: gzip\r\n")), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(one.ask(post("x", "Content-Encoding: br\r\n")), AllOf(StartsWith("HTTP/1.1 415 "), HasSubstr("Accept-Encoding: gzip\r\n")));
}

TEST(Connection, HasALimitOfBodiesForEachRoute) {
  Fixture one(echo_body());
  EXPECT_THAT(one.ask(post(std::string(1000, 'x'))), EndsWith("x]"));
  EXPECT_THAT(one.ask(post(std::string(1001, 'x'))), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(one.ask("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')),
              StartsWith("HTTP/1.1 413 "));
}

TEST(Connection, TellsAClientToSendItsBody) {
  Fixture one(echo_body());
  Socket socket(one.port());
  socket.send("POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ab");
  EXPECT_THAT(socket.read_all(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("[ab]")));
  // Refused before it is sent.
  EXPECT_THAT(one.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(one.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: magic\r\n\r\n"), StartsWith("HTTP/1.1 417 "));
}

TEST(Connection, RefusesMethodsThatNobodyKnows) {
  Fixture one(echo_body());
  EXPECT_THAT(one.ask("BREW /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 501 "));
  EXPECT_THAT(one.ask("TRACE /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(one.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(Connection, ASlowRequestIsToldSo) {
  Fixture one(echo_body(), {.request_timeout = milliseconds(40), .idle_timeout = milliseconds(60'000)});
  EXPECT_THAT(one.ask("GET /x HTTP/1.1\r\nHost: h\r\n"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(one.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"), StartsWith("HTTP/1.1 408 "));
}

TEST(Connection, ADropOfBytesNowAndThenDoesNotKeepARequestAlive) {
  Fixture one(echo_body(), {.request_timeout = milliseconds(40), .idle_timeout = milliseconds(60'000)});
  Socket socket(one.port());
  std::atomic<bool> over{false};
  std::thread dripping([&] {
    socket.send("GET /x HTTP/1.1\r\nX: ");
    while (!over) {
      socket.send("x");
      std::this_thread::yield();
    }
  });
  EXPECT_THAT(socket.read_until("\r\n"), StartsWith("HTTP/1.1 4"));
  over = true;
  dripping.join();
}

TEST(Connection, AClientThatEndsItsSideStillGetsItsAnswer) {
  Slot<Responder> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder); });
  Socket socket(one.port());
  socket.send(kGet);
  socket.end();
  slot.take().send({.body = "late"});
  EXPECT_THAT(socket.read_all(), EndsWith("late"));
}

TEST(Connection, AStreamGoesOnUntilItIsEnded) {
  Slot<Stream> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder.stream({.content_type = "text/event-stream"})); });
  Socket socket(one.port());
  socket.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_until("\r\n\r\n"), AllOf(HasSubstr("text/event-stream"), HasSubstr("Transfer-Encoding: chunked")));
  {
    Stream stream = slot.take();
    stream.write("data: 1\n\n");
    EXPECT_EQ(socket.read_until("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
    stream.write("data: 2\n\n");
    EXPECT_EQ(socket.read_until("\n\n\r\n"), "9\r\ndata: 2\n\n\r\n");
  }
  EXPECT_EQ(socket.read_until("0\r\n\r\n"), "0\r\n\r\n");
  // The connection is good for another request.
  socket.send("GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(socket.read_all(), StartsWith("HTTP/1.1 404 "));
}

TEST(Connection, AStreamToAnOldClientEndsWithTheConnection) {
  Fixture one([&](const Request&, const Responder& responder) { responder.stream({}).write("all of it"); });
  EXPECT_THAT(one.ask("GET /x HTTP/1.0\r\n\r\n"), AllOf(EndsWith("\r\n\r\nall of it"), Not(HasSubstr("chunked"))));
}

TEST(Connection, AStreamLearnsThatItsClientIsGone) {
  Slot<Stream> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder.stream({})); });
  auto socket = std::make_unique<Socket>(one.port());
  socket->send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  Stream stream = slot.take();
  std::promise<void> gone;
  stream.on_drain([&] { gone.set_value(); });
  socket.reset();
  gone.get_future().wait();
  EXPECT_TRUE(stream.is_gone());
  EXPECT_EQ(stream.write("x"), StreamWrite::kGone);
}

TEST(Connection, AReaderWhoTakesNothingIsDropped) {
  Slot<Stream> slot;
  Fixture one([&](const Request&, const Responder& responder) { slot.put(responder.stream({})); },
              {.max_stream_bytes = 100'000, .write_timeout = milliseconds(100)});
  Socket socket(one.port(), 4096);
  socket.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  Stream stream = slot.take();
  // The kernel takes some megabytes; then the queue fills up, and after the timeout the client is gone.
  std::mutex mutex;
  std::condition_variable drained;
  int drains = 0;
  stream.on_drain([&] {
    const std::lock_guard lock(mutex);
    ++drains;
    drained.notify_all();
  });
  for (int seen = 0;;) {
    const StreamWrite result = stream.write(std::string(50'000, 'x'));
    ASSERT_LE(stream.queued_bytes(), 100'000u);
    if (result == StreamWrite::kGone) break;
    if (result == StreamWrite::kTaken) continue;
    std::unique_lock lock(mutex);
    drained.wait(lock, [&] { return drains > seen; });
    seen = drains;
  }
  EXPECT_TRUE(stream.is_gone());
}

TEST(Connection, AnswersFromManyThreadsAllArrive) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, Responder>> waiting;
  bool over = false;
  Fixture one(
      [&](const Request& request, const Responder& responder) {
        const std::lock_guard lock(mutex);
        waiting.emplace_back(request.query, responder);
        changed.notify_one();
      },
      {.threads = 2});
  std::vector<std::thread> answering, asking;
  for (int i = 0; i < 3; ++i) {
    answering.emplace_back([&] {
      std::unique_lock lock(mutex);
      for (;;) {
        changed.wait(lock, [&] { return over || !waiting.empty(); });
        if (waiting.empty()) return;
        auto [query, responder] = std::move(waiting.back());
        waiting.pop_back();
        lock.unlock();
        responder.send({.body = "<" + query + ">"});
        lock.lock();
      }
    });
  }
  for (int i = 0; i < 8; ++i) {
    asking.emplace_back([&, i] {
      Socket socket(one.port());
      for (int k = 0; k < 200; ++k) {
        const std::string query = std::to_string(i) + "-" + std::to_string(k);
        socket.send("GET /x?" + query + " HTTP/1.1\r\nHost: h\r\n\r\n");
        socket.read_until("\r\n\r\n");
        EXPECT_EQ(socket.read_until(">"), "<" + query + ">");
      }
    });
  }
  for (auto& thread : asking) thread.join();
  {
    const std::lock_guard lock(mutex);
    over = true;
    changed.notify_all();
  }
  for (auto& thread : answering) thread.join();
}

TEST(Connection, TheAccessLogHasTheTemplateAndNoPath) {
  Slot<std::string> slot;
  Server::Options options;
  options.metrics = std::make_shared<RequestMetrics>();
  options.on_answer = [&](const AccessRecord& record) {
    slot.put(std::string(record.method) + " " + std::string(record.route) + " " + std::to_string(record.status) + " " +
             std::to_string(record.request_bytes) + " " + std::to_string(record.response_bytes) + " " + std::string(record.remote_ip));
  };
  Fixture one(echo_body(), options);
  one.ask(post("ab"));
  EXPECT_EQ(slot.take(), "POST /x 200 2 4 127.0.0.1");
  one.ask("GET /secret HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(slot.take(), StartsWith("GET  404 0 "));
  one.ask("nonsense\r\n\r\n");
  EXPECT_THAT(slot.take(), StartsWith("other  400 0 "));
}

TEST(Connection, DrainAnswersWhatIsOwedAndTakesNothingNew) {
  Slot<Responder> slot;
  Slot<Stream> streams;
  Fixture one([&](const Request& request, const Responder& responder) {
    if (request.query == "stream") return streams.put(responder.stream({}));
    slot.put(responder);
  });
  Socket idle(one.port()), owed(one.port()), streaming(one.port());
  owed.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  streaming.send("GET /x?stream HTTP/1.1\r\nHost: h\r\n\r\n");
  const Responder responder = slot.take();
  Stream stream = streams.take();
  EXPECT_FALSE(one.server->drain(milliseconds(0)));
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THAT(streaming.read_all(), Not(EndsWith("0\r\n\r\n")));  // cut off, not complete
  EXPECT_TRUE(stream.is_gone());
  EXPECT_FALSE(Socket(one.port()).connected());
  responder.send({.body = "done"});
  EXPECT_THAT(owed.read_all(), AllOf(HasSubstr("Connection: close"), EndsWith("done")));
  EXPECT_TRUE(one.server->drain(milliseconds(10'000)));
}

TEST(Server, DoesNotServeRoutesWithAScopeToTheWorldWithoutTokens) {
  Router router;
  router.add("GET", "/p", echo_body(), {.scope = Scope::kRead});
  const auto server = Server::start({.address = {"0.0.0.0", 0}}, router);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("no tokens"));
  EXPECT_TRUE(Server::start({.address = {"127.0.0.1", 0}}, router));
}

}  // namespace
}  // namespace segue::http
