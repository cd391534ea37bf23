// The daemon's figures, declared with their descriptions beside them, in one registry that /metrics
// prints. Owners keep references to their counters.
#pragma once

#include <memory>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace cc {

struct Metrics {
  Metrics();
  std::shared_ptr<prometheus::Registry> registry;
  // dispatcher
  prometheus::Counter& deliveries;  // committed
  prometheus::Counter& events;      // committed, first time
  prometheus::Counter& repeats;     // deliveries whose events were all known
  prometheus::Counter& dead_letters;
  prometheus::Counter& ignored_events;     // about no call
  prometheus::Counter& waiting_events;     // put to wait
  prometheus::Counter& inbound_calls;      // records made of calls that nobody here began
  prometheus::Counter& claim_conflicts;    // an inbound call on a line that another call holds
  prometheus::Counter& merged_calls;       // a record made from events proved to be a known call
  prometheus::Counter& stream_went_back;   // alarms: Redis lost entries we had seen
  prometheus::Counter& postgres_set_back;  // alarms: PostgreSQL was older than what was drained
  prometheus::Counter& late_life;          // alarms: a sign of life after our own close
  prometheus::Gauge& drained_ms;           // received-ms up to which all partitions are drained
  prometheus::Histogram& commit_delay;     // seconds from received to committed
  // recorder: what polled channels said
  prometheus::Family<prometheus::Counter>& recorded;  // by to: stream, spool
  prometheus::Counter& recorder_refused;              // neither took it
  prometheus::Gauge& spool_bytes;                     // ccd's own spool
  prometheus::Gauge& spool_oldest_ms;                 // received-ms; 0 = it is empty
  prometheus::Counter& spool_writes;                  // each with its fdatasync
  prometheus::Counter& spool_replayed;
  prometheus::Counter& spool_damaged;  // places and files that could not be read
  // calls
  prometheus::Counter& calls_created;
  prometheus::Family<prometheus::Counter>& attempts;   // by channel, outcome
  prometheus::Family<prometheus::Counter>& refusals;   // by code
  prometheus::Counter& rejections_left_out;            // refusals that were not kept
  prometheus::Family<prometheus::Counter>& failovers;  // by from, to: channels
  prometheus::Counter& abandoned_life;     // alarms: a sign of life of an attempt that was given up
  prometheus::Histogram& originate_delay;  // seconds, the channel's answer
  // channels
  prometheus::Family<prometheus::Gauge>& channel_standing;   // by channel: see Standing
  prometheus::Family<prometheus::Counter>& channel_changes;  // by channel, state
  // polled lines
  prometheus::Family<prometheus::Counter>& polls;     // by channel, answer: event, empty, trouble
  prometheus::Family<prometheus::Counter>& sign_ins;  // by channel, outcome: ok, refused, trouble
  prometheus::Family<prometheus::Gauge>& agents;      // of the fleet, by channel, actual
  prometheus::Gauge& seats_owned;                     // polled by this daemon
  prometheus::Counter& uncalled_events;               // of a line, that no call came for
  // recordings
  prometheus::Counter& recordings_stored;
  prometheus::Counter& recordings_absent;                    // given up
  prometheus::Counter& recordings_deleted;                   // their time was over
  prometheus::Family<prometheus::Counter>& recording_tries;  // by outcome: see TryEnd
  prometheus::Counter& recording_bytes;                      // stored
  prometheus::Gauge& recordings_expected;                    // of the fleet
  prometheus::Gauge& recordings_oldest_due;                  // seconds that the oldest is late
  prometheus::Gauge& recordings_in_hand;                     // of this daemon
  prometheus::Histogram& recording_seconds;                  // that a stored one took
  // API
  prometheus::Family<prometheus::Counter>& requests;        // by route, status
  prometheus::Family<prometheus::Counter>& answered_bytes;  // of bodies, by route
  prometheus::Counter& cut_answers;                         // that the client can't have whole
  // audit trail
  prometheus::Counter& audit_rows;     // committed
  prometheus::Counter& audit_batches;  // transactions they took
  prometheus::Counter&
      audit_failures;                // entries that were not kept: what they tell of was not shown
  prometheus::Gauge& audit_waiting;  // entries
  // parts
  prometheus::Gauge& pg_reachable;
  prometheus::Gauge& redis_reachable;
  prometheus::Family<prometheus::Gauge>& part_health;  // by part: 0 ok, 1 degraded, 2 failing
  // calls of the last days without their channel's final word, as reconciled last
  prometheus::Gauge& owed_open;
  prometheus::Gauge& owed_asking;
  prometheus::Gauge& owed_lost;
  // years of data
  prometheus::Gauge& partition_days;  // ahead of now
  prometheus::Counter& purged_rows;
};

}  // namespace cc
