// The sending half of a channel: place a call, end it, ask about it. What arrives from a channel is
// shared/channel.hpp's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "channel/session.hpp"
#include "config.hpp"
#include "envelope.hpp"
#include "event.hpp"
#include "health/breaker.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"

namespace cc {

/// What is needed to ring leg A and then leg B.
struct Originate {
  std::int64_t call = 0;
  int attempt = 1;
  std::string agent;        // the line
  std::string handset;      // leg A's number
  std::string called;       // leg B's number
  int max_duration = 3600;  // seconds
  bool record = true;
  std::string show_a, show_b;      // the number that A's and B's phone show; empty = the other's
  std::function<bool()> may_send;  // asked just before the first byte; false = too late
  std::shared_ptr<LineSession> session;  // of a channel with sessions
};

/// How the channel took an originate. rules.md, "Attempts", decides what follows.
struct OriginateAnswer {
  enum class Outcome { accepted, refused, unknown } outcome = Outcome::unknown;
  std::string channel_call_id;   // accepted
  std::string code, message;     // the channel's words, or ours for the network
  bool never_dialled = false;    // refused in a way that another channel may be tried
  CloseFact close;               // refused: how the call ends if nothing else is tried
  bool session_over = false;     // never dialled because of the line's session: again with the next
  bool session_lost = false;     // and that one is to be made anew
  bool line_fault = false;       // refused for this line's sake: says nothing of the channel
  bool display_refused = false;  // it would not show the number that it was given
  std::optional<ChannelVerdict> verdict;  // of the channel; absent: this says nothing of it
  std::chrono::milliseconds elapsed{0};
};

std::string_view to_text(OriginateAnswer::Outcome outcome) noexcept;  // accepted, refused, unknown

/// What a request that got no answer says of the channel; nothing of one that was answered or that
/// we withheld.
std::optional<ChannelVerdict> verdict_of(const HttpExchange& exchange) noexcept;

struct Hangup {
  std::string agent;
  std::string channel_call_id;           // empty only at a channel with sessions
  std::shared_ptr<LineSession> session;  // of a channel with sessions
};

struct HangupReply {
  bool accepted = false;
  std::string code, message;
  bool session_lost = false;
};

struct Query {
  std::int64_t call = 0;
  std::string agent, channel_call_id;
  std::shared_ptr<LineSession> session;  // of a channel with sessions
};

/// The answer of a query as a delivery for the stream, or why there is none.
struct QueryReply {
  std::optional<Delivery> delivery;
  std::string problem;
  bool try_later = false;  // a rate limit or the network, not a final word
  bool session_lost = false;
};

/// A file that the channel has made of a call.
struct ChannelFile {
  bool ivr = false;             // else the call's recording
  std::string source;           // as the channel named it: a URL, a file's name
  std::string channel_call_id;  // empty where it was not learnt
  std::string agent;
};

/// What the head and the first bytes of an answer say of a file.
struct FileAnswer {
  enum class Kind : std::uint8_t {
    file,     // here it comes
    packed,   // a zip of one or more
    none,     // the channel knows of no such file, or not yet
    trouble,  // anything else: try again
  } kind = Kind::trouble;
  std::string content_type;  // "audio/mpeg"
  std::string extension;     // ".mp3"
  std::string problem;       // none, trouble: for the record and logs; no number, no secret
};

/// What fetches a file, or why nothing does.
struct FileRequest : Result<HttpRequest> {
  using Result::Result;
  bool passing = false;  // there may be a way once the configuration is another one; else the
                         // record says that there is none
};

/// No way to a file, as things stand.
FileRequest no_way_yet(std::string why);

class Provider {
 public:
  virtual ~Provider() = default;
  virtual asio::awaitable<OriginateAnswer> originate(Originate request) = 0;
  virtual asio::awaitable<HangupReply> hang_up(Hangup request) = 0;
  /// How many queries a minute the whole fleet may send to the account.
  virtual int queries_a_minute() const noexcept = 0;
  virtual asio::awaitable<QueryReply> query(Query request) = 0;
  /// Null where lines need no session.
  virtual LineSessions* sessions() noexcept { return nullptr; }

  virtual FileRequest file_request(const ChannelFile& file) const;
  /// Of an answer's status and headers, and as many bytes of its body as there are up to 512. Pure.
  virtual FileAnswer judge_file(const HttpExchange& head, std::string_view begin) const;
};

/// The provider of a configured channel. Adding a coded kind is one line there.
std::unique_ptr<Provider> make_provider(const ChannelConfig& config, HttpClient& http,
                                        Clock& clock);

}  // namespace cc
