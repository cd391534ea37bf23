#include "metrics.hpp"

namespace cc {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Counter& counter(Registry& registry, const char* name, const char* help) {
  return counters(registry, name, help).Add({});
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

/// One of a family, by what its calls stand at.
Gauge& owed(Registry& registry, const char* standing) {
  return prometheus::BuildGauge()
      .Name("cc_calls_without_final_word")
      .Help(
          "Calls of the last 7 days whose end no channel has told yet, as reconciled last: still "
          "open, being asked for, or lost for good")
      .Register(registry)
      .Add({{"standing", standing}});
}

Histogram& seconds(Registry& registry, const char* name, const char* help,
                   const Histogram::BucketBoundaries& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

}  // namespace

Metrics::Metrics()
    : registry(std::make_shared<Registry>()),
      deliveries(counter(*registry, "cc_deliveries_total", "Deliveries drained and committed")),
      events(counter(*registry, "cc_events_total", "Events committed, each once")),
      repeats(counter(*registry, "cc_repeated_deliveries_total",
                      "Deliveries whose events were all known already")),
      dead_letters(counter(*registry, "cc_dead_letters_total",
                           "Deliveries that nobody could read or store, kept as dead letters")),
      ignored_events(counter(*registry, "cc_ignored_events_total",
                             "Events about no call, counted and not stored")),
      waiting_events(counter(*registry, "cc_waiting_events_total",
                             "Events put to wait because their call was not known yet")),
      inbound_calls(
          counter(*registry, "cc_inbound_calls_total",
                  "Records made of calls that the channel told of and nobody here began")),
      claim_conflicts(counter(*registry, "cc_claim_conflicts_total",
                              "Inbound calls on a line or handset that another call holds")),
      merged_calls(counter(*registry, "cc_merged_calls_total",
                           "Records made from events that proved to be a call known already")),
      stream_went_back(counter(*registry, "cc_stream_went_back_total",
                               "Alarms: Redis had lost entries that were seen before")),
      postgres_set_back(counter(*registry, "cc_postgresql_went_back_total",
                                "Alarms: PostgreSQL had lost what was committed before")),
      late_life(counter(*registry, "cc_late_life_total",
                        "Alarms: a sign of life after CC's own clock had closed the call")),
      drained_ms(gauge(*registry, "cc_drained_milliseconds",
                       "Received time (epoch ms) up to which all partitions are drained")),
      commit_delay(
          seconds(*registry, "cc_commit_delay_seconds", "From a delivery's arrival to its commit",
                  {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600})),
      recorded(counters(*registry, "cc_recorded_total",
                        "Deliveries of polled channels that were stored, by where to")),
      recorder_refused(counter(*registry, "cc_recorder_refused_total",
                               "Tries to store a delivery that neither Redis nor the spool took")),
      spool_bytes(gauge(*registry, "cc_spool_bytes", "What ccd's own spool holds")),
      spool_oldest_ms(gauge(*registry, "cc_spool_oldest_ms",
                            "Received time (epoch ms) of the oldest delivery in ccd's own spool; "
                            "0 if it is empty")),
      spool_writes(counter(*registry, "cc_spool_writes_total",
                           "Writes to ccd's own spool, each for all that waited")),
      spool_replayed(counter(*registry, "cc_spool_replayed_total",
                             "Deliveries that went from ccd's own spool into the stream")),
      spool_damaged(counter(*registry, "cc_spool_damaged_total",
                            "Places and files of ccd's own spool that held nothing readable")),
      calls_created(counter(*registry, "cc_calls_created_total", "Calls created by applications")),
      attempts(counters(*registry, "cc_attempts_total",
                        "Attempts to start a call, by channel and outcome")),
      refusals(counters(*registry, "cc_refusals_total",
                        "Calls asked for and not made, by the reason's code")),
      rejections_left_out(
          counter(*registry, "cc_rejections_left_out_total",
                  "Refused requests for calls that were not kept: too many at once, "
                  "or PostgreSQL away")),
      failovers(counters(*registry, "cc_failovers_total",
                         "Calls that were tried at another line, by the channels from and to")),
      abandoned_life(counter(*registry, "cc_abandoned_life_total",
                             "Signs of life of attempts that had been given up; they are hung up")),
      originate_delay(seconds(*registry, "cc_originate_delay_seconds",
                              "How long channels take to answer a request for a call",
                              {.025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 20, 30})),
      channel_standing(
          prometheus::BuildGauge()
              .Name("cc_channel_standing")
              .Help("0 whole, 1 being tried, 2 degraded, 3 out, 4 closed by an operator")
              .Register(*registry)),
      channel_changes(counters(*registry, "cc_channel_changes_total",
                               "Changes of a channel's state, by channel and new state")),
      polls(counters(*registry, "cc_polls_total",
                     "Answers to polls of lines, by channel and what they were")),
      sign_ins(
          counters(*registry, "cc_sign_ins_total", "Sign-ins of lines, by channel and outcome")),
      agents(prometheus::BuildGauge()
                 .Name("cc_agents")
                 .Help("Agents of the whole fleet that shall be online, by how they stand")
                 .Register(*registry)),
      seats_owned(gauge(*registry, "cc_lines_polled", "Lines that this daemon owns and polls")),
      uncalled_events(
          counter(*registry, "cc_line_events_without_call_total",
                  "Events of a polled line that named no call and that no call came for")),
      recordings_stored(counter(*registry, "cc_recordings_stored_total",
                                "Recordings and IVR files that came to lie in the store")),
      recordings_absent(counter(*registry, "cc_recordings_absent_total",
                                "Recordings that were given up: the call's record says why")),
      recordings_deleted(counter(*registry, "cc_recordings_deleted_total",
                                 "Recordings that were deleted because their time was over")),
      recording_tries(counters(
          *registry, "cc_recording_tries_total",
          "Tries to have a recording from its channel in the store, by outcome: stored, "
          "none (the channel has none yet), trouble, store (our own), refused, lost (it is "
          "another daemon's, or its call was merged), interrupted")),
      recording_bytes(
          counter(*registry, "cc_recording_bytes_total", "Bytes of recordings that were stored")),
      recordings_expected(gauge(*registry, "cc_recordings_expected",
                                "Recordings of the whole fleet that are not in the store yet")),
      recordings_oldest_due(gauge(*registry, "cc_recordings_oldest_due_seconds",
                                  "For how long the oldest recording that may be fetched waits")),
      recordings_in_hand(gauge(*registry, "cc_recordings_in_hand",
                               "Recordings that this daemon is fetching or removing now")),
      recording_seconds(seconds(*registry, "cc_recording_seconds",
                                "How long a recording took from its channel into the store",
                                {.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800})),
      requests(counters(*registry, "cc_http_requests_total",
                        "Requests answered by the API, by route, method and status")),
      answered_bytes(counters(*registry, "cc_http_response_bytes_total",
                              "Bytes of answers' bodies that were sent, by route")),
      cut_answers(
          counter(*registry, "cc_http_cut_answers_total",
                  "Answers that ended before their end: the client was too slow or gone, or "
                  "what they are made of failed")),
      audit_rows(counter(*registry, "cc_audit_rows_total", "Rows of the audit trail committed")),
      audit_batches(counter(*registry, "cc_audit_batches_total",
                            "Transactions that the audit trail's rows took")),
      audit_failures(counter(*registry, "cc_audit_failures_total",
                             "Rows of the audit trail that could not be kept; what they were to "
                             "tell of was refused")),
      audit_waiting(gauge(*registry, "cc_audit_waiting", "Rows of the audit trail that wait")),
      pg_reachable(
          gauge(*registry, "cc_postgresql_reachable", "1 if the last statement or connect worked")),
      redis_reachable(gauge(*registry, "cc_redis_reachable", "1 if the link to Redis stands")),
      part_health(prometheus::BuildGauge()
                      .Name("cc_part_health")
                      .Help("How each part of the whole stands: 0 ok, 1 degraded, 2 failing")
                      .Register(*registry)),
      owed_open(owed(*registry, "open")),
      owed_asking(owed(*registry, "asking")),
      owed_lost(owed(*registry, "lost")),
      partition_days(gauge(*registry, "cc_partition_days_ahead",
                           "Days from now on that new calls have partitions for; alarm below 31")),
      purged_rows(counter(*registry, "cc_purged_rows_total",
                          "Rows deleted because they were older than retention: keeps them")) {}

}  // namespace cc
