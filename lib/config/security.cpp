// SPDX-License-Identifier: Apache-2.0
// The part of ConfigReader that knows how clients log in.
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "lib/config/reader.h"

namespace segue::config {
namespace {

constexpr size_t kMaxSecretBytes = 64 << 10;

std::string reason_of(int error) { return error == 0 ? "it is not a plain file" : std::strerror(error); }

bool encrypts(const SecurityConfig& security) { return security.protocol.ends_with("ssl"); }
bool logs_in(const SecurityConfig& security) { return security.protocol.starts_with("sasl"); }

}  // namespace

void ConfigReader::check_security() {
  const SecurityConfig& security = config_.kafka.security;
  if (mistaken_.contains("kafka.security.protocol") || mistaken_.contains("kafka.security")) return;
  const auto no_effect = [&](std::string_view name, std::string_view needed) {
    const std::string path = "kafka.security." + std::string(name);
    if (!mistaken_.contains(path) && !value_text(*find_key(path), config_).empty())
      wrong_together(path, "has no effect: kafka.security.protocol is " + security.protocol + ", not " + std::string(needed));
  };
  if (!logs_in(security))
    for (const auto name : {"mechanism", "username", "username_file", "password", "password_file"}) no_effect(name, "sasl_ssl or sasl_plaintext");
  if (!encrypts(security))
    for (const auto name : {"ca_file", "certificate_file", "key_file", "key_password_file"}) no_effect(name, "ssl or sasl_ssl");
  if (logs_in(security)) check_login();
  if (encrypts(security)) check_certificates();
}

void ConfigReader::check_login() {
  const SecurityConfig& security = config_.kafka.security;
  if (mistaken_.contains("kafka.security.mechanism")) return;
  if (security.mechanism.empty()) return wrong_together("kafka.security.mechanism", "is missing: " + security.protocol + " needs one");
  if (security.mechanism != "PLAIN" && !security.mechanism.starts_with("SCRAM")) return;
  const auto one_of = [&](const std::string& path, const std::string& value, const std::string& file) {
    if (mistaken_.contains(path) || mistaken_.contains(path + "_file")) return;
    if (!value.empty() && !file.empty()) return wrong_together(path + "_file", "and " + path + " are both given: leave one out");
    if (value.empty() && file.empty())
      wrong_together(path, "is missing, or " + path + "_file: " + security.mechanism + " needs a user and a password");
  };
  one_of("kafka.security.username", security.username, security.username_file);
  one_of("kafka.security.password", security.password, security.password_file);
}

void ConfigReader::check_certificates() {
  const SecurityConfig& security = config_.kafka.security;
  const auto needs = [&](const std::string& path, bool given, const std::string& other, bool other_given) {
    if (given && !other_given && !mistaken_.contains(other)) wrong_together(path, "needs " + other);
  };
  const bool certificate = !security.certificate_file.empty();
  const bool key = !security.key_file.empty();
  needs("kafka.security.certificate_file", certificate, "kafka.security.key_file", key);
  needs("kafka.security.key_file", key, "kafka.security.certificate_file", certificate);
  needs("kafka.security.key_password_file", !security.key_password_file.empty(), "kafka.security.key_file", key);
}

void ConfigReader::read_secrets() {
  SecurityConfig& security = config_.kafka.security;
  read_secret("kafka.security.username_file", security.username_file, security.username);
  read_secret("kafka.security.password_file", security.password_file, security.password);
  read_secret("kafka.security.key_password_file", security.key_password_file, security.key_password);
  check_readable("kafka.security.ca_file", security.ca_file);
  check_readable("kafka.security.certificate_file", security.certificate_file);
  check_readable("kafka.security.key_file", security.key_file);
}

void ConfigReader::read_secret(std::string_view file_path, const std::string& file, std::string& value) {
  if (file.empty()) return;
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string content(kMaxSecretBytes + 1, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!stream.is_open() || stream.bad()) return wrong_together(file_path, "cannot be read: " + file + ": " + reason_of(errno));
  content.resize(static_cast<size_t>(stream.gcount()));
  if (content.size() > kMaxSecretBytes) return wrong_together(file_path, file + " is larger than 64 KiB: is it the right file?");
  // Editors and `echo` end the line.
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  if (content.empty()) return wrong_together(file_path, file + " is empty");
  if (content.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    return wrong_together(file_path, file + " has more than one line: is it the right file?");
  value = std::move(content);
}

void ConfigReader::check_readable(std::string_view path, const std::string& file) {
  if (file.empty()) return;
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream.is_open() || stream.peek() == std::ifstream::traits_type::eof())
    wrong_together(path, "cannot be read: " + file + ": " + (errno != 0 || !stream.is_open() ? reason_of(errno) : "it is empty"));
}

}  // namespace segue::config
