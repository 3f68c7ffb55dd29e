// SPDX-License-Identifier: Apache-2.0
// The empty consume-transact loop with the delays avoided that librdkafka has by default: the least that an exactly-once engine can take.
#include "bench/pipeline/kafka_client.h"
#include "bench/pipeline/kafka_commands.h"

namespace segue::bench {
namespace {

constexpr int kTransactionMs = 10'000;
constexpr size_t kBatch = 10'000;

// With a callback of delivery reports flush() ends when the last one is in; without, it looks every 10 ms.
void ignore_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_err2str(message->err));
}

Client make_transactional_producer(const TransactLoop& loop) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_dr_msg_cb(conf, ignore_delivery);
  Client client = make_client(RD_KAFKA_PRODUCER,
                              {{"bootstrap.servers", loop.brokers},
                               {"transactional.id", loop.id},
                               {"linger.ms", "0"},
                               {"transaction.timeout.ms", std::to_string(kTransactionMs)},
                               {"message.timeout.ms", std::to_string(kTransactionMs)},
                               // 100 ms by default, which every second transaction waits for.
                               {"retry.backoff.ms", "1"}},
                              conf);
  check(rd_kafka_init_transactions(client.get(), kTransactionMs), "init_transactions");
  return client;
}

// One transaction with the outputs of a batch. The offsets go first: a first record would make librdkafka add its partition with a retry of 20 ms.
void transact(rd_kafka_t* producer, rd_kafka_t* consumer, const std::string& output, const std::vector<const rd_kafka_message_t*>& outputs,
              const rd_kafka_topic_partition_list_t* offsets) {
  check(rd_kafka_begin_transaction(producer), "begin_transaction");
  rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
  check(rd_kafka_send_offsets_to_transaction(producer, offsets, group, kTransactionMs), "send_offsets_to_transaction");
  rd_kafka_consumer_group_metadata_destroy(group);
  for (const rd_kafka_message_t* message : outputs) {
    const auto error = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(output.c_str()), RD_KAFKA_V_PARTITION(message->partition),
                                         RD_KAFKA_V_KEY(message->key, message->key_len), RD_KAFKA_V_VALUE(message->payload, message->len),
                                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_err2str(error));
  }
  check(rd_kafka_commit_transaction(producer, kTransactionMs), "commit_transaction");
}

void subscribe(rd_kafka_t* consumer, const TransactLoop& loop) {
  const PartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), loop.input.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto error = rd_kafka_subscribe(consumer, topics.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_err2str(error));
}

bool is_assigned(rd_kafka_t* consumer) {
  rd_kafka_topic_partition_list_t* found = nullptr;
  if (rd_kafka_assignment(consumer, &found) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  const PartitionList list(found);
  return list->cnt > 0;
}

// Takes what is there after a first record. A call for a batch with a timeout would wait until the batch is full.
size_t take_rest(rd_kafka_queue_t* queue, std::vector<rd_kafka_message_t*>& batch) {
  const ssize_t found = rd_kafka_consume_batch_queue(queue, 0, batch.data() + 1, batch.size() - 1);
  if (found < 0) die(rd_kafka_err2str(rd_kafka_last_error()));
  return static_cast<size_t>(found) + 1;
}

}  // namespace

void run_transact_loop(TransactLoop& loop) {
  const Client producer = make_transactional_producer(loop);
  const Client consumer = make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", loop.brokers},
                                                          {"group.id", loop.id},
                                                          {"isolation.level", "read_committed"},
                                                          {"enable.auto.commit", "false"},
                                                          {"auto.offset.reset", "latest"}});
  rd_kafka_poll_set_consumer(consumer.get());
  subscribe(consumer.get(), loop);
  const Queue queue(rd_kafka_queue_get_consumer(consumer.get()));
  std::vector<rd_kafka_message_t*> batch(kBatch);
  std::vector<const rd_kafka_message_t*> outputs;
  bool told = false;
  while (!loop.stop()) {
    rd_kafka_message_t* first = rd_kafka_consume_queue(queue.get(), 20);
    if (!told && is_assigned(consumer.get())) {
      // The positions at the end are looked up after the assignment.
      if (first == nullptr) first = rd_kafka_consume_queue(queue.get(), 1000);
      told = true;
      loop.ready();
    }
    if (first == nullptr) continue;
    batch[0] = first;
    const size_t count = take_rest(queue.get(), batch);
    const PartitionList offsets(rd_kafka_topic_partition_list_new(4));
    outputs.clear();
    for (size_t i = 0; i < count; ++i) {
      const rd_kafka_message_t& message = *batch[i];
      if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_message_errstr(&message));
      auto* place = rd_kafka_topic_partition_list_find(offsets.get(), loop.input.c_str(), message.partition);
      if (place == nullptr) place = rd_kafka_topic_partition_list_add(offsets.get(), loop.input.c_str(), message.partition);
      place->offset = message.offset + 1;
      if (causes_output({static_cast<const char*>(message.payload), message.len})) outputs.push_back(&message);
    }
    if (!outputs.empty()) transact(producer.get(), consumer.get(), loop.output, outputs, offsets.get()), ++loop.transactions;
    for (size_t i = 0; i < count; ++i) rd_kafka_message_destroy(batch[i]);
  }
  rd_kafka_consumer_close(consumer.get());
}

}  // namespace segue::bench
