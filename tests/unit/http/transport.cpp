// SPDX-License-Identifier: Apache-2.0
// TLS, asked by openssl's own client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "lib/http/client.h"
#include "lib/http/server.h"
#include "tests/unit/http/socket.h"

namespace segue::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string run(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  for (char buffer[4096]; const size_t got = std::fread(buffer, 1, sizeof buffer, pipe);) text.append(buffer, got);
  pclose(pipe);
  return text;
}

class Transport : public testing::Test {
 protected:
  void SetUp() override {
    if (run("openssl version").find("OpenSSL") == std::string::npos) GTEST_SKIP() << "openssl is not installed";
    folder_ = testing::TempDir() + "segue_tls_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    make_certificate("first");
    Router router;
    router.get("/hello", [](const Request&) {
      std::string body(300'000, 'x');
      body += "end\n";
      return Response{.body = std::move(body)};
    });
    router.add("GET", "/stream", [](const Request&, const Responder& responder) {
      Stream stream = responder.stream({});
      for (int i = 0; i < 100; ++i) stream.write("piece " + std::to_string(i) + "\n");
    });
    Server::Options options;
    options.address = {"127.0.0.1", 0};
    options.request_timeout = options.idle_timeout = std::chrono::milliseconds(2000);
    options.tls = TlsFiles{folder_ + "/cert.pem", folder_ + "/key.pem"};
    auto server = Server::start(options, router);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  void make_certificate(const std::string& name) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -addext subjectAltName=IP:127.0.0.1 -subj /CN=" + name +
        " -keyout " + folder_ + "/key.pem -out " + folder_ + "/cert.pem");
  }
  std::string ask(const std::string& options, const std::string& path = "/hello") {
    const std::string request = "GET " + path + " HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n";
    return run("printf '" + request + "' | timeout 20 openssl s_client -ign_eof -connect " + to_string(server_->address()) + " " + options);
  }

  std::string folder_;
  std::unique_ptr<Server> server_;
};

TEST_F(Transport, AnswersUnderTls) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string answer = ask(version);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_THAT(answer, HasSubstr("xxxend\n"));
    EXPECT_THAT(answer, HasSubstr("CN = first"));
  }
}

TEST_F(Transport, StreamsUnderTls) { EXPECT_THAT(ask("", "/stream"), HasSubstr("piece 99\n\r\n0\r\n\r\n")); }

TEST_F(Transport, AClientChecksTheCertificate) {
  const auto client = Client::start({.tls_ca_file = folder_ + "/cert.pem"});
  ASSERT_TRUE(client) << client.error().message;
  for (int i = 0; i < 3; ++i) {
    const auto answer = (*client)->ask({.address = server_->address(), .target = "/hello"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body.size(), 300'004u);
  }
  // Another authority than the one that signed it.
  make_certificate("second");
  const auto stranger = Client::start({.tls_ca_file = folder_ + "/cert.pem"});
  const auto refused = (*stranger)->ask({.address = server_->address(), .target = "/hello"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("TLS: "));
  EXPECT_FALSE(Client::start({.tls_ca_file = folder_ + "/nothing"}));
}

TEST_F(Transport, ClosesAConnectionThatDoesNotSpeakTls) {
  EXPECT_EQ(Socket(server_->address().port).read_all(), "");  // after the time for a request
  Socket plain(server_->address().port);
  plain.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(plain.read_all(), Not(HasSubstr("HTTP/1.1")));
}

TEST_F(Transport, RefusesOldVersions) { EXPECT_THAT(ask("-tls1_1 -cipher ALL:@SECLEVEL=0"), Not(HasSubstr("HTTP/1.1"))); }

TEST_F(Transport, TakesANewCertificateForNewConnections) {
  make_certificate("second");
  const auto reloaded = server_->reload();
  ASSERT_TRUE(reloaded) << reloaded.error().message;
  EXPECT_TRUE(*reloaded);
  EXPECT_THAT(ask(""), HasSubstr("CN = second"));
  std::filesystem::remove(folder_ + "/key.pem");
  EXPECT_FALSE(server_->reload());
  EXPECT_THAT(ask(""), HasSubstr("CN = second"));
}

}  // namespace
}  // namespace segue::http
