// SPDX-License-Identifier: Apache-2.0
// A server for wrk: `http_server [PORT [THREADS]]`, then `wrk -t1 -c32 http://127.0.0.1:PORT/now`. /now answers at once, /later from another thread
// that takes what waits every turn, as a shard does, /v1/profiles/u1 the same with 2 KB under a template.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "lib/http/server.h"

using namespace segue;

int main(int argc, char** argv) {
  http::Server::Options options;
  options.address = {"127.0.0.1", static_cast<uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8088)};
  options.threads = argc > 2 ? static_cast<size_t>(std::atoi(argv[2])) : 1;
  options.max_connections = 1024;
  options.metrics = std::make_shared<http::RequestMetrics>();

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<http::Responder, std::string>> waiting;
  std::thread shard([&] {
    for (;;) {
      std::vector<std::pair<http::Responder, std::string>> batch;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !waiting.empty(); });
        batch.swap(waiting);
      }
      for (auto& [responder, body] : batch) responder.send({.content_type = "application/json", .body = std::move(body)});
    }
  });
  const auto later = [&](const http::Responder& responder, std::string body) {
    const std::lock_guard lock(mutex);
    waiting.emplace_back(responder, std::move(body));
    changed.notify_one();
  };
  http::Router router;
  router.get("/now", [](const http::Request&) { return http::Response{.body = "ok\n"}; });
  router.add("GET", "/later", [&](const http::Request&, const http::Responder& responder) { later(responder, "ok\n"); });
  router.add("GET", "/v1/profiles/{user_id}", [&](const http::Request& request, const http::Responder& responder) {
    later(responder, request.path_parameter("user_id") + std::string(2048, 'x'));
  });
  auto server = http::Server::start(options, router);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  std::printf("http://%s\n", http::to_string((*server)->address()).c_str());
  std::fflush(stdout);
  shard.join();
}
