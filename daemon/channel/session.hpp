// Channels whose lines sign in and are polled: the half of such a channel that keeps the session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "envelope.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"
#include "result.hpp"

namespace cc {

/// What a channel gave a line at its sign-in and wants to see again with every request. Only the
/// channel's kind knows what it means. A new sign-in makes a new one; requests that are under way
/// keep theirs.
struct LineSession {
  std::string ticket;   // hw: the Guid
  std::string cookies;  // as a Cookie header has them
  std::string handset;  // that it is signed in with
  bool operator==(const LineSession&) const = default;
};

/// For storing it (sealed).
std::string to_text(const LineSession& session);
Result<LineSession> session_from_text(std::string_view text);

/// How a channel took a request, as far as the line's session is concerned.
struct SessionAnswer {
  enum class Kind : std::uint8_t {
    ok,
    stale,    // sent with a ticket that has been renewed meanwhile: do it again
    lost,     // the session is over: sign in anew
    refused,  // of a sign-in: no use trying again before somebody changes the agent
    trouble,  // the network, or an answer that says nothing: later
  };
  Kind kind = Kind::trouble;
  std::string code, message;  // the channel's words, bounded and without numbers

  bool ok() const noexcept { return kind == Kind::ok; }
  /// "100-004 wrong password", without numbers.
  std::string words() const;
};

struct SignIn {
  std::string agent, handset, password;
};

/// The answer to a poll. A delivery is in the caller's hand only: it exists nowhere else.
struct Polled {
  SessionAnswer answer;
  std::optional<Delivery> delivery;  // without received_ms
  bool readable = true;              // false: the delivery is nothing that the channel would say
};

struct PollPace {
  Millis pause_least{200}, pause_most{500};  // between two polls of a line
  unsigned sign_ins_a_second = 50;           // of one daemon
};

/// Requests of one line must not overlap, except a poll with anything but sign_in and sign_out.
class LineSessions {
 public:
  virtual ~LineSessions() = default;

  /// Signs in, by force where somebody is signed in already. ok: `session` is filled.
  virtual asio::awaitable<SessionAnswer> sign_in(HttpClient& http, SignIn wish,
                                                 std::shared_ptr<LineSession> session) = 0;
  virtual asio::awaitable<SessionAnswer> sign_out(HttpClient& http, std::string agent,
                                                  std::shared_ptr<LineSession> session) = 0;
  /// Waits at the channel for something to happen, some seconds at most.
  virtual asio::awaitable<Polled> poll(HttpClient& http, std::string agent,
                                       std::shared_ptr<LineSession> session) = 0;
  virtual PollPace pace() const noexcept = 0;
};

/// The lines with a session that this daemon keeps.
class Lines {
 public:
  virtual ~Lines() = default;

  /// Only a line's owner sends on it, hangs up, queries and signs in.
  virtual bool serves(std::string_view channel, std::string_view agent) const = 0;

  struct Lease {
    std::shared_ptr<LineSession> session;  // null: none, and why
    std::string problem;
  };
  /// The line's session, signed in with `handset` (empty = with any): a line that is signed in with
  /// another one is signed out and in again first. `patience`: how long that may take.
  virtual asio::awaitable<Lease> lease(std::string channel, std::string agent, std::string handset,
                                       Millis patience) = 0;

  /// The channel said that this session is over: the line signs in anew.
  virtual void lost(std::string_view channel, std::string_view agent,
                    const std::shared_ptr<LineSession>& session) = 0;

  /// Now, by the clock that stamps what was sent and received on lines: all daemons' agree.
  virtual std::int64_t line_ms() const = 0;
};

}  // namespace cc
