// The one place where a record changes: events are added to a call's history and the record is
// folded anew from all of it, in the caller's transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "event.hpp"
#include "io/pg.hpp"

namespace cc {

/// An event about to be stored, with the envelope of the delivery that brought it (none for CC's
/// own).
struct NewEvent {
  Event event;
  std::string raw;
  std::string channel_call_id;  // the channel's id of the call, where the event names it
  std::string channel;          // its code; empty for CC's own events
};

/// CC's own event on an attempt, at `now_ms`.
NewEvent own_event(std::int64_t call, int attempt, EventName name, std::int64_t now_ms,
                   Facts facts = {}, std::uint16_t ordinal = 0);

using NewEvents = std::map<std::int64_t, std::vector<NewEvent>>;  // by call

struct FoldReport {
  std::vector<std::int64_t> unknown;  // calls that have no record; their events were not stored
  std::size_t stored = 0;             // events that are new, or known by now to have come earlier
  std::vector<std::int64_t> changed;  // calls whose record changed: wake who waits for them
  std::vector<std::int64_t> closed;   // of these, the ones that closed just now
  std::size_t late_life = 0;          // records that showed life after our own close
  /// How an attempt's channel did, by its own word of less than a minute ago: the legs met, or the
  /// call ended.
  struct Judgement {
    std::int64_t call = 0;
    int attempt = 1;
    std::string channel;
    bool failed = false;  // it ended for the channel's or the network's fault
  };
  std::vector<Judgement> judged;
  std::size_t abandoned = 0;  // attempts that were given up and show life: they are to be hung up
};

/// Locks the calls' records in id order, adds their events (a repeat only lowers `received`), reads
/// each call's whole history, folds, and writes what changed: record, attempts, claims, `change`
/// rows. `at_ms` becomes `updated`. Takes two round trips whatever the number of calls. Throws
/// pg::Failure.
asio::awaitable<FoldReport> fold_events(pg::Transaction& transaction, const NewEvents& events,
                                        std::int64_t at_ms);

/// Only what was received within this time makes CC act (rules.md, "Actions").
inline constexpr std::int64_t action_age_ms = 60'000;

/// Releases what the attempts of these calls hold (idempotent), and what is due on these resources.
inline constexpr std::string_view release_claims_sql =
    "UPDATE claim SET released = $2 WHERE call = ANY($1::bigint[]) AND released IS NULL";

/// How long a polled line may stay engaged after its call's end, if nobody says that it is free.
inline constexpr std::int64_t line_linger_ms = 5'000;

/// How long a claim outlives a close by our own clock: the phone may still be ringing.
inline constexpr std::int64_t own_close_hold_ms = 90'000;

}  // namespace cc
