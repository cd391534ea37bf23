// What applications may do with calls: create, read, wait, hang up. The API calls this and nothing
// below it; nothing in here knows HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "event.hpp"
#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

/// A validated request: numbers canonical, lengths within their columns.
struct NewCall {
  std::string tenant;
  OptText caller, agent, channel, user;   // who shall call: see rules.md, "Choosing"
  std::string called;                     // ignored if called_of is set
  std::optional<std::int64_t> called_of;  // the customer of that call, unseen
  std::string initiator = "agent";
  OptText business, biz_type, biz_id, biz_data, main_num, ext_num;
  std::optional<int> max_duration;  // seconds
  bool record = true;
  OptText idempotency_key;
  std::string body_hash;  // SHA-256 of the validated body, 32 bytes; with an idempotency key
  std::string request_id;
  std::string key;  // the asking key's name, for the rejection that may come of it
};

struct StoredRecord {
  Constants constants;
  Folded folded;
  std::int64_t version = 0;
  std::int64_t updated = 0;  // epoch ms
};

/// Why a call was not made. `code` is fixed (the API maps it to a problem type and a status).
struct Refusal {
  enum class Code {
    no_line,          // nothing names or implies a line
    unknown_channel,  // the named channel does not exist or is not the tenant's
    no_channel,       // none is open
    line_offline,     // the line is known, and not signed in now
    line_busy,        // `busy_call` is in progress on the line or the handset
    unable,           // no channel can do what the call needs (hide a number, record, …)
    no_main_number,   // a number shall be hidden, and there is none to show instead
    unknown_call,     // called_of is not the tenant's
    key_reused,       // the idempotency key came with another body
    too_fast,         // the tenant's requests for calls a second
    too_many,         // the tenant's calls at the same time
    own_number,       // the phone that would call is the one to be called
  } code;
  std::string detail;  // names the thing, the value (masked) and the remedy
  std::optional<std::int64_t> busy_call;
  std::optional<int> limit{};               // too_fast, too_many: the figure
  std::chrono::milliseconds retry_after{};  // too_fast, too_many; 0 = not known
};

struct Created {
  StoredRecord record;
  bool replayed = false;
  std::string notice;  // not empty: the channel that it goes to is not whole
};

/// How the latest attempt at a channel ended, for Prefer: wait.
enum class Outcome {
  pending,
  accepted,
  refused,
  unknown,
  withdrawn  // by CC: hung up before it was sent, or too late to send; no channel was asked
};

struct AttemptOutcome {
  Outcome outcome = Outcome::pending;
  OptText code, message;  // the channel's words
};

struct TimelineEvent {
  Event event;
  std::string raw;  // the delivery's envelope; empty for CC's own events
};

struct TimelineAttempt {
  int attempt = 1;
  std::string channel, agent, state;
  bool superseded = false;  // given up for the next one
  OptText channel_call_id, reason, code, message;
  OptMs created, sent, answered;
  OptText request_id;  // of the request that asked for it
};

struct Timeline {
  std::int64_t call = 0;          // another than was asked for, if that was merged into it
  std::string direction = "out";  // tells which number is the customer's
  std::vector<TimelineAttempt> attempts;
  std::vector<TimelineEvent> events;  // by received-ms, then order of life
  OptText recording_state, recording_reason;
  OptMs recording_expected_at;
};

struct HangupAnswer {
  StoredRecord record;
  bool already_closed = false;
};

class Calls {
 public:
  virtual ~Calls() = default;

  /// Stores the call, its key, its first attempt and claims in one transaction and has it sent. All
  /// methods throw pg::Failure while PostgreSQL is away.
  virtual asio::awaitable<std::variant<Created, Refusal>> create(NewCall request) = 0;

  /// The attempt's end at the channel, or `pending` when the wait is over first.
  virtual asio::awaitable<AttemptOutcome> wait_outcome(std::int64_t call,
                                                       std::chrono::milliseconds wait) = 0;

  /// Nothing where the call does not exist or is another tenant's. With `above`, answers as soon as
  /// the version is above it, or as it is when the wait is over.
  virtual asio::awaitable<std::optional<StoredRecord>> get(std::string tenant, std::int64_t call,
                                                           std::optional<std::int64_t> above,
                                                           std::chrono::milliseconds wait) = 0;

  virtual asio::awaitable<std::optional<Timeline>> timeline(std::string tenant,
                                                            std::int64_t call) = 0;

  virtual asio::awaitable<std::optional<HangupAnswer>> hangup(std::string tenant, std::int64_t call,
                                                              std::string request_id) = 0;

  /// From now on nobody waits: waits under way in wait_outcome() and get() end at once with what is
  /// known, later ones don't begin. The API says so when it drains.
  virtual void end_waits() {}
};

}  // namespace cc
