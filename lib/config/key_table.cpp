// SPDX-License-Identifier: Apache-2.0
#include "lib/config/key_table.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "lib/base/assert.h"
#include "lib/config/values.h"
#include "lib/yaml/text.h"

namespace segue::config {
namespace {

constexpr uint64_t kSecond = 1'000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kDay = 24 * kHour;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kMost = uint64_t{1} << 40;  // more than any machine has, far from overflow

// clang-format off
#define SEGUE_FIELD(type, member) +[](Config& c) -> type& { return c.member; }
#define SEGUE_TEXT(member) SEGUE_FIELD(std::string, member)
#define SEGUE_NUMBER(member) SEGUE_FIELD(uint64_t, member)
#define SEGUE_DURATION(member) SEGUE_FIELD(Duration, member)
#define SEGUE_PROPERTIES(member) SEGUE_FIELD(Properties, member)

using enum ValueKind;
constexpr Key kTable[] = {
    {.path = "application", .kind = kName, .field = SEGUE_TEXT(application), .required = true,
     .help = "The instances of one application share a group; `APPLICATION-PARTITION` is the transactional id of a partition."},
    {.path = "instance", .kind = kName, .field = SEGUE_TEXT(instance), .fallback = "the host's name",
     .help = "Names this process among them. The same after a restart, so that the group takes it back at once; no two may share it."},
    {.path = "definitions", .kind = kText, .field = SEGUE_TEXT(definitions), .fallback = "the built-in definitions",
     .help = "File of segments, tags and lifecycle (definitions.md)."},
    {.path = "standby", .kind = kChoice, .field = SEGUE_TEXT(standby), .choices = "none,all",
     .help = "`all`: follows the partitions that other instances own, and can take one over within seconds; costs disk and memory for all."},

    {.path = "state.directory", .kind = kText, .field = SEGUE_TEXT(state.directory), .required = true,
     .help = "Where profiles are kept, on a disk of this machine; made where it is missing."},
    {.path = "state.cache_profiles", .kind = kCount, .field = SEGUE_NUMBER(state.cache_profiles), .low = 1, .high = kMost,
     .help = "Profiles kept in memory, about 1.5 KB each, over all partitions."},
    {.path = "state.dirty_profiles", .kind = kCount, .field = SEGUE_NUMBER(state.dirty_profiles), .low = 1, .high = kMost,
     .help = "Changed profiles that force a checkpoint, over all partitions; twice as many are in memory while one is written."},
    {.path = "state.block_cache", .kind = kSize, .field = SEGUE_NUMBER(state.block_cache_bytes), .low = kMiB, .high = kMost,
     .help = "Memory for pages read from disk, shared by all partitions."},

    {.path = "kafka.brokers", .kind = kText, .field = SEGUE_TEXT(kafka.brokers), .required = true,
     .help = "Brokers to begin with, `host:port,host:port`."},
    {.path = "kafka.input", .kind = kName, .field = SEGUE_TEXT(kafka.input), .required = true, .help = "Topic of the events, key = user_id."},
    {.path = "kafka.transitions", .kind = kName, .field = SEGUE_TEXT(kafka.transitions), .required = true,
     .help = "Topic of the outputs; as many partitions as the input."},
    {.path = "kafka.dead_letters", .kind = kName, .field = SEGUE_TEXT(kafka.dead_letters), .required = true,
     .help = "Topic of the records that cannot be used; as many partitions as the input."},
    {.path = "kafka.journal", .kind = kName, .field = SEGUE_TEXT(kafka.journal), .required = true,
     .help = "Topic of the journal; as many partitions as the input, never compacted, kept longer than the input."},
    {.path = "kafka.instances", .kind = kName, .field = SEGUE_TEXT(kafka.instances), .required = true,
     .help = "Topic by which instances with an API find each other; one partition, cleanup.policy=compact."},
    {.path = "kafka.partitioner", .kind = kChoice, .field = SEGUE_TEXT(kafka.partitioner), .choices = "murmur2,crc32,fnv1a",
     .help = "How the input's writers choose a user's partition: `murmur2` as Java's clients, `crc32` as librdkafka's default, `fnv1a` as Sarama's. "
             "The API finds users by it, collector and erasures write by it."},
    {.path = "kafka.group", .kind = kName, .field = SEGUE_TEXT(kafka.group), .fallback = "the application's name",
     .help = "Consumer group, under which tools show the lag."},
    {.path = "kafka.workers", .kind = kCount, .field = SEGUE_NUMBER(kafka.workers), .low = 1, .high = 256,
     .help = "Threads of this instance, each a member of the group. More than it has cores, or than there are partitions, are of no use."},
    {.path = "kafka.properties", .kind = kProperties, .field = SEGUE_PROPERTIES(kafka.properties),
     .help = "Properties of librdkafka for all clients."},
    {.path = "kafka.consumer", .kind = kProperties, .field = SEGUE_PROPERTIES(kafka.consumer),
     .help = "Properties for consumers; they go before those for all."},
    {.path = "kafka.producer", .kind = kProperties, .field = SEGUE_PROPERTIES(kafka.producer),
     .help = "Properties for producers; they go before those for all."},
    {.path = "kafka.security.protocol", .kind = kChoice, .field = SEGUE_TEXT(kafka.security.protocol),
     .choices = "plaintext,ssl,sasl_plaintext,sasl_ssl", .help = "Whether connections are encrypted (ssl), and whether clients log in (sasl)."},
    {.path = "kafka.security.mechanism", .kind = kChoice, .field = SEGUE_TEXT(kafka.security.mechanism),
     .choices = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,GSSAPI,OAUTHBEARER", .fallback = "none",
     .help = "How clients log in; needed with sasl. SCRAM with Kafka 4: see below. What GSSAPI and OAUTHBEARER need goes into kafka.properties."},
    {.path = "kafka.security.username", .kind = kText, .field = SEGUE_TEXT(kafka.security.username), .fallback = "none",
     .help = "User of PLAIN and SCRAM."},
    {.path = "kafka.security.username_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.username_file), .fallback = "none",
     .help = "File that holds it, instead."},
    {.path = "kafka.security.password", .kind = kSecret, .field = SEGUE_TEXT(kafka.security.password), .fallback = "none",
     .help = "Password of PLAIN and SCRAM. A file is better: this one is as public as the configuration."},
    {.path = "kafka.security.password_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.password_file), .fallback = "none",
     .help = "File that holds it, instead."},
    {.path = "kafka.security.ca_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.ca_file), .fallback = "those of the system",
     .help = "Certificates that the brokers' are checked against, PEM."},
    {.path = "kafka.security.certificate_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.certificate_file), .fallback = "none",
     .help = "The client's own certificate, PEM, where brokers ask for one."},
    {.path = "kafka.security.key_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.key_file), .fallback = "none",
     .help = "Its private key, PEM."},
    {.path = "kafka.security.key_password_file", .kind = kText, .field = SEGUE_TEXT(kafka.security.key_password_file), .fallback = "none",
     .help = "File that holds the password of that key."},

    {.path = "commit.interval", .kind = kDuration, .field = SEGUE_DURATION(commit.interval), .low = 10, .high = 10 * kMinute,
     .help = "Longest time between commits when there are no outputs. Outputs are committed at once."},
    {.path = "commit.outputs", .kind = kCount, .field = SEGUE_NUMBER(commit.outputs), .low = 1, .high = 1'000'000,
     .help = "Outputs that close a transaction."},
    {.path = "commit.bytes", .kind = kSize, .field = SEGUE_NUMBER(commit.bytes), .low = 64 << 10, .high = 256 * kMiB,
     .help = "Bytes of outputs that close a transaction."},
    {.path = "commit.events", .kind = kCount, .field = SEGUE_NUMBER(commit.events), .low = 1, .high = 100'000'000,
     .help = "Events that close a transaction."},

    {.path = "clock.follow_wall_clock", .kind = kBoolean, .field = SEGUE_FIELD(bool, clock.follow_wall_clock),
     .help = "Lets the clock of a partition at the end of its log follow the wall clock, so that a lapse fires although nobody comes."},
    {.path = "clock.step", .kind = kDuration, .field = SEGUE_DURATION(clock.step), .low = 100, .high = kHour,
     .help = "How far the clock of an idle partition goes on at a time; each step is a record of the journal."},
    {.path = "clock.future_bound", .kind = kDuration, .field = SEGUE_DURATION(clock.future_bound), .low = 0, .high = 7 * kDay,
     .help = "How far an event's ts may be after the time at which the broker took it; one from further in the future becomes a dead letter."},
    {.path = "clock.jump_bound", .kind = kDuration, .field = SEGUE_DURATION(clock.jump_bound), .low = 1000, .high = 365 * kDay,
     .help = "How far the host's clock may jump ahead before timers wait for it: until it is back, a broker's clock agrees, or SIGHUP confirms it."},

    {.path = "checkpoint.events", .kind = kCount, .field = SEGUE_NUMBER(checkpoint.events), .low = 1, .high = kMost,
     .help = "Events of a partition between two checkpoints: what a restart has to catch up."},
    {.path = "checkpoint.interval", .kind = kDuration, .field = SEGUE_DURATION(checkpoint.interval), .low = 100, .high = kDay,
     .help = "Longest time between two checkpoints of a partition with new events."},

    {.path = "snapshots.directory", .kind = kText, .field = SEGUE_TEXT(snapshots.directory), .fallback = "no snapshots",
     .help = "Where copies of the state go, for a new owner on another machine: a volume that all instances see."},
    {.path = "snapshots.interval", .kind = kDuration, .field = SEGUE_DURATION(snapshots.interval), .low = kSecond, .high = 30 * kDay,
     .help = "Time between two snapshots of a partition. The log must be kept for longer."},
    {.path = "snapshots.keep", .kind = kCount, .field = SEGUE_NUMBER(snapshots.keep), .low = 1, .high = 1'000,
     .help = "Snapshots of a partition that are kept."},

    {.path = "embedded.partitions", .kind = kCount, .field = SEGUE_NUMBER(embedded.partitions), .low = 0, .high = 1024,
     .help = "Files of the embedded log of `segue up`, each with a shard and a thread; fixed once the log is made. 0: as it is, a new one has 1."},

    {.path = "http.listen", .kind = kText, .field = SEGUE_TEXT(http.listen), .fallback = "no server",
     .help = "`ADDRESS:PORT` of /livez, /readyz and /metrics. `:9464` is this machine alone, `0.0.0.0:9464` everybody."},

    {.path = "api.listen", .kind = kText, .field = SEGUE_TEXT(api.listen), .fallback = "no API",
     .help = "`ADDRESS:PORT` of the API and the console (api.md); without tokens of this machine only. `segue up` has 127.0.0.1:8080, or `none`."},
    {.path = "api.tokens_file", .kind = kText, .field = SEGUE_TEXT(api.tokens_file), .fallback = "no tokens",
     .help = "File of those who may ask, one a line: name, SHA-256 of the token, scopes (api.md)."},
    {.path = "api.certificate_file", .kind = kText, .field = SEGUE_TEXT(api.certificate_file), .fallback = "no TLS",
     .help = "The API's own certificate, then those that signed it, PEM."},
    {.path = "api.key_file", .kind = kText, .field = SEGUE_TEXT(api.key_file), .fallback = "none", .help = "Its private key, PEM."},
    {.path = "api.console", .kind = kBoolean, .field = SEGUE_FIELD(bool, api.console), .help = "Serves the console beside the API."},
    {.path = "api.advertise", .kind = kText, .field = SEGUE_TEXT(api.advertise), .fallback = "api.listen",
     .help = "`HOST:PORT` at which other instances reach this API; needed where it listens on every address (0.0.0.0)."},
    {.path = "api.instance_token_file", .kind = kText, .field = SEGUE_TEXT(api.instance_token_file), .fallback = "no token",
     .help = "File whose first line is the token that this instance shows to others; it needs the scope read there."},
    {.path = "api.ca_file", .kind = kText, .field = SEGUE_TEXT(api.ca_file), .fallback = "others are asked in the clear",
     .help = "Certificates that those of other instances are checked against, PEM: others are asked over TLS."},

    {.path = "collector.listen", .kind = kText, .field = SEGUE_TEXT(collector.listen), .required = true,
     .help = "`ADDRESS:PORT` of the collector (collector.md); without write keys of this machine only. `none`: `segue up` takes what others append."},
    {.path = "collector.log", .kind = kText, .field = SEGUE_TEXT(collector.log), .fallback = "the topic `kafka.input`",
     .help = "`segue collector`: directory of an embedded log to write to instead of Kafka."},
    {.path = "collector.keys_file", .kind = kText, .field = SEGUE_TEXT(collector.keys_file), .fallback = "no write keys",
     .help = "File of the write keys, one a line: a name and the key's SHA-256."},
    {.path = "collector.certificate_file", .kind = kText, .field = SEGUE_TEXT(collector.certificate_file), .fallback = "no TLS",
     .help = "The collector's certificate, then those that signed it, PEM."},
    {.path = "collector.key_file", .kind = kText, .field = SEGUE_TEXT(collector.key_file), .fallback = "none", .help = "Its private key, PEM."},
    {.path = "collector.anonymous_prefix", .kind = kText, .field = SEGUE_TEXT(collector.anonymous_prefix), .fallback = "none",
     .help = "Stands before the anonymousId of a call without a userId; both together are the user."},
    {.path = "collector.pages", .kind = kBoolean, .field = SEGUE_FIELD(bool, collector.pages), .help = "Makes page and screen calls views."},
    {.path = "collector.events", .kind = kMapping, .field = SEGUE_PROPERTIES(collector.events),
     .help = "Names of track calls and the types that they become, or `none`; they go before those of collector.md."},
    {.path = "collector.body_bytes", .kind = kSize, .field = SEGUE_NUMBER(collector.body_bytes), .low = 1024, .high = 64 * kMiB,
     .help = "Largest body of a request, unpacked."},
    {.path = "collector.call_bytes", .kind = kSize, .field = SEGUE_NUMBER(collector.call_bytes), .low = 1024, .high = 512 << 10,
     .help = "Largest tracking call."},
    {.path = "collector.queue_bytes", .kind = kSize, .field = SEGUE_NUMBER(collector.queue_bytes), .low = kMiB, .high = kMost,
     .help = "Events that may wait to be safe; beyond it requests get 429."},
    {.path = "collector.rate", .kind = kCount, .field = SEGUE_NUMBER(collector.rate), .low = 0, .high = 100'000'000,
     .help = "Events a second that a write key may send, with a burst of one second; 0: no limit."},
    {.path = "collector.connections", .kind = kCount, .field = SEGUE_NUMBER(collector.connections), .low = 1, .high = 100'000,
     .help = "Connections at a time; further ones wait."},

    {.path = "log.level", .kind = kChoice, .field = SEGUE_TEXT(log.level), .choices = "debug,info,warn,error",
     .help = "The least important lines that are written."},
    {.path = "log.format", .kind = kChoice, .field = SEGUE_TEXT(log.format), .choices = "text,json",
     .help = "Lines of standard error: text for people, or one JSON object each."},
};
#undef SEGUE_PROPERTIES
#undef SEGUE_DURATION
#undef SEGUE_NUMBER
#undef SEGUE_TEXT
#undef SEGUE_FIELD
// clang-format on

constexpr size_t kMaxNameBytes = 249;  // of Kafka's topics

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kMaxNameBytes && text != "." && text != ".." && std::all_of(text.begin(), text.end(), allowed);
}

std::vector<std::string_view> split(std::string_view words) {
  std::vector<std::string_view> out;
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    out.push_back(words.substr(0, comma));
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
  return out;
}

// Not for secrets.
tl::unexpected<Error> refuse(const Key& key, std::string_view text) {
  std::string found = text.empty() ? "nothing" : "'";
  for (const char c : text.substr(0, 100)) found += is_control(c) ? '?' : c;
  if (!text.empty()) found += text.size() > 100 ? "...'" : "'";
  std::string message = "found " + found + ", expected " + expected_value(key);
  if (key.kind == kChoice)
    if (const auto near = nearest(text, split(key.choices)); !near.empty()) message += "; did you mean '" + std::string(near) + "'?";
  return fail(ErrorClass::kUsage, std::move(message));
}

Result<> set_text(const Key& key, std::string_view text, std::string& field) {
  // What the environment, or an escape in the file, says must be what a file could: `segue check --print` writes it as one.
  const bool clean = std::none_of(text.begin(), text.end(), is_control) && (key.kind == kSecret || yaml::is_clean_text(text));
  bool right = !text.empty() && clean;
  if (key.kind == kName) right = is_name(text);
  if (key.kind == kChoice) {
    const auto choices = split(key.choices);
    right = std::find(choices.begin(), choices.end(), text) != choices.end();
  }
  // Where a fallback or another key takes over, an empty value is as good as none.
  if (text.empty()) right = !key.fallback.empty();
  if (!right && key.kind == kSecret) return fail(ErrorClass::kUsage, "the value has a line end or another control character");
  if (!right) return refuse(key, text);
  field = text;
  return {};
}

}  // namespace

std::span<const Key> key_table() { return kTable; }

const Key* find_key(std::string_view path) {
  const auto found = std::find_if(std::begin(kTable), std::end(kTable), [&](const Key& key) { return key.path == path; });
  return found == std::end(kTable) ? nullptr : found;
}

bool is_section(std::string_view path) {
  return std::any_of(std::begin(kTable), std::end(kTable),
                     [&](const Key& key) { return key.path.size() > path.size() && key.path.starts_with(path) && key.path[path.size()] == '.'; });
}

std::string variable_name(const Key& key) {
  std::string out = "SEGUE_";
  for (const char c : key.path) out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::string_view section_of(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('.') + 1); }

Result<> set_value(const Key& key, std::string_view text, Config& config) {
  switch (key.kind) {
    case kText:
    case kName:
    case kSecret:
    case kChoice:
      return set_text(key, text, std::get<TextField>(key.field)(config));
    case kBoolean:
      if (text != "true" && text != "false") return refuse(key, text);
      std::get<BooleanField>(key.field)(config) = text == "true";
      return {};
    case kCount:
    case kSize:
    case kDuration: {
      const auto value = key.kind == kCount ? parse_count(text) : key.kind == kSize ? parse_size(text) : parse_duration(text);
      if (!value || *value < key.low || *value > key.high) return refuse(key, text);
      if (key.kind == kDuration) {
        std::get<DurationField>(key.field)(config) = Duration{static_cast<int64_t>(*value)};
      } else {
        std::get<NumberField>(key.field)(config) = *value;
      }
      return {};
    }
    case kProperties:
    case kMapping:
      return fail(ErrorClass::kUsage, "found a value, expected " + expected_value(key));
  }
  return {};
}

std::string value_text(const Key& key, const Config& config) {
  // The fields give access for reading and writing; this only reads.
  auto& from = const_cast<Config&>(config);
  switch (key.kind) {
    case kText:
    case kName:
    case kSecret:
    case kChoice:
      return std::get<TextField>(key.field)(from);
    case kBoolean:
      return std::get<BooleanField>(key.field)(from) ? "true" : "false";
    case kCount:
      return std::to_string(std::get<NumberField>(key.field)(from));
    case kSize:
      return print_size(std::get<NumberField>(key.field)(from));
    case kDuration:
      return print_duration(static_cast<uint64_t>(std::get<DurationField>(key.field)(from).count()));
    case kProperties:
    case kMapping:
      break;
  }
  SEGUE_ASSERT(false);
  return {};
}

std::string expected_value(const Key& key) {
  switch (key.kind) {
    case kText:
    case kSecret:
      return "text on one line";
    case kName:
      return "a name of up to 249 letters, digits, dots, underscores and dashes";
    case kChoice: {
      std::string out = "one of";
      for (const auto choice : split(key.choices)) out.append(out == "one of" ? " " : ", ").append(choice);
      return out;
    }
    case kBoolean:
      return "true or false";
    case kCount:
      // A bound that nobody comes near would only confuse.
      if (key.high == kMost) return "a whole number, at least " + std::to_string(key.low);
      return "a whole number from " + std::to_string(key.low) + " to " + std::to_string(key.high);
    case kSize:
      return "a size from " + print_size(key.low) + " to " + print_size(key.high) + ", such as 8MiB";
    case kDuration:
      return "a duration from " + print_duration(key.low) + " to " + print_duration(key.high) + ", such as 10s";
    case kProperties:
      return "a mapping of librdkafka's properties to their values";
    case kMapping:
      return "a mapping of names to words";
  }
  return {};
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  // A third of the word may differ: "brokres" is near "brokers", "log" is not near "lag_of_all".
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  if (word.size() > 100) return best;
  for (const auto candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace segue::config
