// SPDX-License-Identifier: Apache-2.0
// How clients log in: what must stand together, and secrets in files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lib/config/load.h"

namespace segue::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Environment kBare{{}, "host"};

std::string with_security(const std::string& security) { return "state: {directory: /data}\nkafka:\n  brokers: b\n  security: {" + security + "}\n"; }

std::string mistakes(const std::string& security, const Environment& environment = kBare) {
  const auto config = parse(with_security(security), "segue.yaml", environment);
  return config ? "none" : to_text(config.error());
}

class SecretFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "secrets-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << content;
    return directory_ + "/" + name;
  }
  // The password that is read, or the mistakes.
  static std::string password(const std::string& path) {
    const auto config = load(with_security("protocol: sasl_ssl, mechanism: PLAIN, username: u, password_file: " + path), "segue.yaml", kBare);
    return config ? config->kafka.security.password : to_text(config.error());
  }

  std::string directory_;
};

TEST(Security, TheUsualWaysAreRight) {
  EXPECT_EQ(mistakes("protocol: ssl, ca_file: ca.pem, certificate_file: c.pem, key_file: k.pem, key_password_file: p"), "none");
  EXPECT_EQ(mistakes("protocol: sasl_ssl, mechanism: SCRAM-SHA-512, username: u, password_file: p, ca_file: ca.pem"), "none");
  EXPECT_EQ(mistakes("protocol: sasl_plaintext, mechanism: PLAIN, username_file: u, password: p"), "none");
  EXPECT_EQ(mistakes("protocol: sasl_ssl, mechanism: OAUTHBEARER"), "none");
}

TEST(Security, BothAPasswordAndItsFileAreAMistake) {
  const std::string login = "protocol: sasl_ssl, mechanism: PLAIN, ";
  EXPECT_THAT(mistakes(login + "username: u, password: 5ecret, password_file: p"),
              AllOf(HasSubstr("kafka.security.password_file and kafka.security.password are both given"), Not(HasSubstr("5ecret"))));
  EXPECT_THAT(mistakes(login + "username: u, username_file: f, password: p"),
              HasSubstr("kafka.security.username_file and kafka.security.username are both"));
  EXPECT_THAT(mistakes(login + "username: u, password_file: p", {{{"SEGUE_KAFKA_SECURITY_PASSWORD", "5ecret"}}, "host"}),
              AllOf(HasSubstr("are both given"), Not(HasSubstr("5ecret"))));
}

TEST(Security, ALoginIsComplete) {
  EXPECT_THAT(mistakes("protocol: sasl_ssl"), HasSubstr("kafka.security.mechanism is missing: sasl_ssl needs one"));
  EXPECT_THAT(mistakes("protocol: sasl_ssl, mechanism: PLAIN"),
              AllOf(HasSubstr("kafka.security.username is missing, or kafka.security.username_file: PLAIN needs"),
                    HasSubstr("kafka.security.password is missing")));
}

TEST(Security, WhatHasNoEffectIsAMistake) {
  EXPECT_EQ(mistakes("username: u, password: 5ecret"),
            "segue.yaml:4:24: kafka.security.username has no effect: kafka.security.protocol is plaintext, not sasl_ssl or sasl_plaintext\n"
            "segue.yaml:4:37: kafka.security.password has no effect: kafka.security.protocol is plaintext, not sasl_ssl or sasl_plaintext\n");
  EXPECT_THAT(mistakes("protocol: sasl_plaintext, mechanism: GSSAPI, ca_file: ca.pem"), HasSubstr("kafka.security.ca_file has no effect"));
}

TEST(Security, ACertificateNeedsItsKey) {
  EXPECT_THAT(mistakes("protocol: ssl, certificate_file: c"), HasSubstr("kafka.security.certificate_file needs kafka.security.key_file"));
  EXPECT_THAT(mistakes("protocol: ssl, key_file: k"), HasSubstr("kafka.security.key_file needs kafka.security.certificate_file"));
  EXPECT_THAT(mistakes("protocol: ssl, key_password_file: p"), HasSubstr("kafka.security.key_password_file needs kafka.security.key_file"));
}

TEST(Security, NoMistakeShowsThePassword) {
  const std::string login = "protocol: sasl_ssl, mechanism: PLAIN, username: u, ";
  for (const std::string& security :
       {login + "password: [5ecret]", login + "password: \"5ecret\\n\"", login + "password: *5ecret", login + "password:5ecret",
        login + "password 5ecret", login + "pasword: 5ecret", login + "password: {5ecret: 5ecret}", login + "password: 5ecret, password: 5ecret"})
    EXPECT_THAT(mistakes(security), AllOf(Not(HasSubstr("5ecret")), HasSubstr("segue.yaml:4:"))) << security;
  const auto whole = parse("state: {directory: /data}\nkafka: {brokers: b, security: 'password:5ecret', password: 5ecret}\n", "segue.yaml", kBare);
  ASSERT_FALSE(whole);
  EXPECT_THAT(to_text(whole.error()), AllOf(Not(HasSubstr("5ecret")), HasSubstr("did you mean 'kafka.security.password'?")));
  EXPECT_THAT(mistakes(login, {{{"SEGUE_KAFKA_SECURITY_PASSWORD", "5ecret\n"}, {"SEGUE_KAFKA_SECURITY_PASWORD", "5ecret"}}, "host"}),
              Not(HasSubstr("5ecret")));
}

TEST_F(SecretFiles, OneLineEndIsCutOff) {
  EXPECT_EQ(password(file("plain", "5ecret")), "5ecret");
  EXPECT_EQ(password(file("line", "5ecret\n")), "5ecret");
  EXPECT_EQ(password(file("windows", "5ecret\r\n")), "5ecret");
  EXPECT_EQ(password(file("blanks", " 5e cret \n")), " 5e cret ");
}

TEST_F(SecretFiles, WhatIsNoSecretIsAMistakeWithItsPlace) {
  EXPECT_THAT(password(directory_ + "/absent"), AllOf(HasSubstr("segue.yaml:4:"), HasSubstr("kafka.security.password_file cannot be read"),
                                                      HasSubstr("/absent: No such file or directory")));
  EXPECT_THAT(password(directory_), HasSubstr("cannot be read"));
  EXPECT_THAT(password(file("empty", "\n")), HasSubstr("is empty"));
  EXPECT_THAT(password(file("lines", "5ecret\n5ecret\n")), AllOf(HasSubstr("more than one line"), Not(HasSubstr("5ecret"))));
  EXPECT_THAT(password(file("blank-line", "5ecret\n\n")), HasSubstr("more than one line"));
  EXPECT_THAT(password(file("large", std::string(100'000, 'x'))), HasSubstr("larger than 64 KiB"));
}

TEST_F(SecretFiles, EveryFileIsReadBeforeTheStart) {
  const std::string good = file("good", "x\n");
  const auto text = [&](const std::string& ca, const std::string& certificate, const std::string& key) {
    return with_security("protocol: ssl, ca_file: " + ca + ", certificate_file: " + certificate + ", key_file: " + key +
                         ", key_password_file: " + good);
  };
  const auto config = load(text(good, good, good), "segue.yaml", kBare);
  ASSERT_TRUE(config) << to_text(config.error());
  EXPECT_EQ(config->kafka.security.key_password, "x");
  EXPECT_TRUE(parse(text("absent", "absent", "absent"), "segue.yaml", kBare)) << "parse reads no file";
  const auto wrong = load(text("/absent", directory_, file("none", "")), "segue.yaml", kBare);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().size(), 3u) << to_text(wrong.error());
}

}  // namespace
}  // namespace segue::config
