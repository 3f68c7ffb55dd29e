// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/group_consumer.h"

#include <cctype>
#include <cstring>
#include <set>
#include <utility>

#include "lib/kafka/errors.h"
#include "lib/kafka/record_reader_impl.h"

namespace segue::kafka {
namespace {

// What the member polls at least, so that it is not taken for stuck (max.poll.interval.ms) and errors are served.
constexpr std::chrono::milliseconds kMembershipServed{500};

// librdkafka keeps the generation to itself but for this serialised form, which begins with "CGMD", a version and the generation.
int32_t generation_of(std::string_view metadata) {
  const size_t colon = metadata.find(':');
  int32_t generation = -1;
  if (metadata.starts_with("CGMD") && colon < 10 && metadata.size() >= colon + 1 + sizeof generation)
    std::memcpy(&generation, metadata.data() + colon + 1, sizeof generation);
  return generation;
}

GroupMembership::Identity identity_of(rd_kafka_t* handle) {
  GroupMembership::Identity identity;
  if (char* member = rd_kafka_memberid(handle)) {
    identity.member = member;
    rd_kafka_mem_free(handle, member);
  }
  const Owned<rd_kafka_consumer_group_metadata_t> metadata(rd_kafka_consumer_group_metadata(handle));
  void* bytes = nullptr;
  size_t size = 0;
  if (metadata == nullptr) return identity;
  const Owned<rd_kafka_error_t> error(rd_kafka_consumer_group_metadata_write(metadata.get(), &bytes, &size));
  if (error) return identity;
  identity.metadata.assign(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(nullptr, bytes);
  identity.generation = generation_of(identity.metadata);
  return identity;
}

}  // namespace

class GroupConsumer::Impl {
 public:
  Impl(const ClientOptions& options, std::unique_ptr<RecordReader> reader)
      : input_(options.topics.input), reader_(std::move(reader)), membership_(std::make_shared<GroupMembership>()) {}
  ~Impl();
  Result<> open(const ClientOptions& options);
  const GroupBatch& poll(std::chrono::milliseconds timeout);
  std::string last_error() const;

  RecordReader& reader() { return *reader_; }
  const RecordReader& reader() const { return *reader_; }
  std::shared_ptr<const GroupMembership> membership() const { return membership_; }
  bool connected() const { return client_->connected() && reader_->connected(); }

 private:
  void serve();
  void rebalance(rd_kafka_resp_err_t what, const rd_kafka_topic_partition_list_t& partitions);
  void look_for_fatal_error();
  void note_error(std::string text);

  const std::string input_;
  const std::unique_ptr<RecordReader> reader_;
  const std::shared_ptr<GroupMembership> membership_;
  std::vector<int32_t> assigned_;
  GroupBatch batch_;
  std::atomic<bool> pending_{true};
  std::chrono::steady_clock::time_point served_{};
  mutable std::mutex mutex_;
  std::string error_;  // under mutex_
  std::unique_ptr<Client> client_;
  Owned<rd_kafka_queue_t> queue_;
};

Result<> GroupConsumer::Impl::open(const ClientOptions& options) {
  Properties forced = {
      {"group.id", options.group_id()},      {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},        {"partition.assignment.strategy", "range"},
  };
  if (!options.instance.empty()) forced["group.instance.id"] = options.instance;
  Client::Callbacks callbacks;
  callbacks.error = [this](rd_kafka_resp_err_t, std::string_view) { look_for_fatal_error(); };
  callbacks.rebalance = [this](rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) { rebalance(what, *partitions); };
  auto client = Client::open(options, ClientKind::kGroupMember, forced, std::move(callbacks));
  if (!client) return tl::unexpected(std::move(client).error());
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_->get());
  queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
  const auto on_event = [](rd_kafka_t*, void* self) {
    auto* impl = static_cast<Impl*>(self);
    impl->pending_.store(true, std::memory_order_release);
    impl->reader_->wake();
  };
  rd_kafka_queue_cb_event_enable(queue_.get(), on_event, this);
  const Owned<rd_kafka_topic_partition_list_t> topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), input_.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_->get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return tl::unexpected(error_from(error, "subscribing to " + input_));
  return {};
}

GroupConsumer::Impl::~Impl() {
  membership_->left();
  if (queue_) rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  queue_.reset();
  if (client_) rd_kafka_consumer_close(client_->get());
  client_.reset();
}

// Never waits: whoever owns the partition's shard reads `revoked` and decides; what is in flight is decided by the transactional id.
void GroupConsumer::Impl::rebalance(rd_kafka_resp_err_t what, const rd_kafka_topic_partition_list_t& partitions) {
  rd_kafka_t* handle = client_->get();
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assigned_.clear();
    for (int i = 0; i < partitions.cnt; ++i) assigned_.push_back(partitions.elems[i].partition);
    std::sort(assigned_.begin(), assigned_.end());
    // The member fetches nothing itself: the reader does, from offsets that the group never knew.
    const Owned<rd_kafka_topic_partition_list_t> nothing(rd_kafka_topic_partition_list_new(0));
    rd_kafka_assign(handle, nothing.get());
    membership_->joined(identity_of(handle), {assigned_.begin(), assigned_.end()});
    batch_.assigned = assigned_;
    note_error({});
    return;
  }
  membership_->left();
  batch_.lost = batch_.lost || rd_kafka_assignment_lost(handle) != 0;
  batch_.assigned.reset();
  batch_.revoked.insert(batch_.revoked.end(), assigned_.begin(), assigned_.end());
  assigned_.clear();
  rd_kafka_assign(handle, nullptr);
}

void GroupConsumer::Impl::serve() {
  const auto now = std::chrono::steady_clock::now();
  if (!pending_.exchange(false, std::memory_order_acq_rel) && now - served_ < kMembershipServed) return;
  served_ = now;
  while (const Owned<rd_kafka_message_t> message{rd_kafka_consumer_poll(client_->get(), 0)}) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    look_for_fatal_error();
    const char* text = rd_kafka_message_errstr(message.get());
    note_error(error_from(message->err, "consumer group", text == nullptr ? "" : text).message);
  }
}

const GroupBatch& GroupConsumer::Impl::poll(std::chrono::milliseconds timeout) {
  batch_.revoked.clear();
  batch_.lost = false;
  batch_.assigned.reset();
  serve();
  const bool changed = !batch_.revoked.empty() || batch_.assigned || batch_.fatal;
  batch_.read = &reader_->poll(changed ? std::chrono::milliseconds{0} : std::min(timeout, kMembershipServed));
  return batch_;
}

// Told as an error of the handle, or as a record that is none.
void GroupConsumer::Impl::look_for_fatal_error() {
  char text[512] = "";
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_->get(), text, sizeof text);
  if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  batch_.fatal = error_from(fatal, "consumer group", text);
  batch_.fatal->kind = ErrorClass::kStop;
  membership_->left();
}

void GroupConsumer::Impl::note_error(std::string text) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(text);
}

std::string GroupConsumer::Impl::last_error() const {
  {
    const std::lock_guard lock(mutex_);
    if (!error_.empty()) return error_;
  }
  std::string text = client_->last_error();
  return text.empty() ? reader_->last_error() : text;
}

GroupConsumer::GroupConsumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GroupConsumer::~GroupConsumer() = default;

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::open(const ClientOptions& options, RecordReader::Limits limits, Defences defences) {
  auto reader = RecordReader::open(options, limits, defences);
  if (!reader) return tl::unexpected(std::move(reader).error());
  auto impl = std::make_unique<Impl>(options, std::move(*reader));
  SEGUE_TRY(impl->open(options));
  return std::unique_ptr<GroupConsumer>(new GroupConsumer(std::move(impl)));
}

Result<> GroupConsumer::start(int32_t partition, uint64_t offset) { return impl_->reader().start({Topic::kInput, partition}, offset); }
void GroupConsumer::stop(int32_t partition) { impl_->reader().stop({Topic::kInput, partition}); }
void GroupConsumer::pause(int32_t partition) { impl_->reader().pause({Topic::kInput, partition}); }
void GroupConsumer::resume(int32_t partition) { impl_->reader().resume({Topic::kInput, partition}); }
bool GroupConsumer::started(int32_t partition) const { return impl_->reader().started({Topic::kInput, partition}); }
uint64_t GroupConsumer::position(int32_t partition) const { return impl_->reader().position({Topic::kInput, partition}); }
const GroupBatch& GroupConsumer::poll(std::chrono::milliseconds timeout) { return impl_->poll(timeout); }
void GroupConsumer::wake() { impl_->reader().wake(); }
std::shared_ptr<const GroupMembership> GroupConsumer::membership() const { return impl_->membership(); }
bool GroupConsumer::connected() const { return impl_->connected(); }
uint64_t GroupConsumer::records_dropped() const { return impl_->reader().records_dropped(); }
std::string GroupConsumer::last_error() const { return impl_->last_error(); }

}  // namespace segue::kafka
