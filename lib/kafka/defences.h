// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace segue::kafka {

// What keeps commits exact when requests are held, repeated or lost. All on; a test turns one off to show what it is for.
struct Defences {
  // A producer whose commit or abort left a request unanswered, was slow or failed is thrown away before the next transaction.
  bool recycle_doubtful_producer = true;
  // After init_transactions the journal's end decides whether the commit in doubt is there. Off: it is taken as not there.
  bool read_journal_after_init = true;
  // A partition's producer has the same transactional.id in every process, so that a new owner fences the old. Off: one of this process alone.
  bool stable_transactional_id = true;
  // The journal's end is the high watermark with open transactions counted. Off: wherever the first read finds nothing more.
  bool wait_for_high_watermark = true;
  // After init_transactions no open transaction is left in the partitions of the outputs either. Off: only the journal's is looked at.
  bool look_into_outputs = true;
  // A record whose journal predecessor is not the one we know is refused. Off: the chain is not looked at.
  bool check_journal_chain = true;
  // Records below the expected offset are dropped.
  bool check_record_offsets = true;
};

}  // namespace segue::kafka
