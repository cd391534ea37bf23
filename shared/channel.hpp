// The seam: what the rest of CC knows of a channel's kind when something arrives from it. The
// sending half (originate, hang up, query) is daemon/channel/provider.hpp.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "envelope.hpp"
#include "event.hpp"
#include "network.hpp"

namespace cc {

/// A callback as it came in. Views are valid during the call only.
struct Inbound {
  std::string_view method;
  std::string_view token;  // the path's last segment
  std::string_view query_string;
  std::string_view content_type;
  std::string_view address;
  std::string_view body;
};

/// What an account accepts; from configuration. Empty tokens = nothing is accepted.
struct Trust {
  std::vector<std::string> tokens;      // at most two, so that one can be rotated
  std::vector<std::string> app_ids;     // empty = not checked
  std::vector<Network> addresses = {};  // that the channel calls from; empty = not checked
};

enum class Verdict : std::uint8_t {
  accepted,
  bad_method,
  bad_token,
  bad_address,
  bad_signature,
  foreign_app,
  too_large,
};

std::string_view to_text(Verdict verdict) noexcept;

/// 403, 405 or 413; 200 for accepted.
unsigned http_status(Verdict verdict) noexcept;

/// Whether a sender is on the list, or there is none. What is no IP address (a unix socket's peer)
/// is on no list.
bool address_accepted(std::string_view address, const Trust& trust) noexcept;

/// A channel's call id, cut at its column's width. Holds its bytes itself: one is made for each
/// callback in the NGINX worker, where an allocation more would show.
class ChannelCallId {
 public:
  static constexpr std::size_t width = 64;  // design.md section 4

  void assign(std::string_view id) noexcept { size_ = id.copy(bytes_.data(), width); }
  operator std::string_view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, width> bytes_;
  std::size_t size_ = 0;
};

struct Verified {
  Verdict verdict = Verdict::bad_token;
  ChannelCallId channel_call_id;  // the first one in the body, where readable: for the partition
};

/// What a channel wants to hear once its callback is stored. Static storage.
struct Answer {
  std::string_view content_type;
  std::string_view body;
};

struct Understood {
  std::vector<ChannelEvent> events;
  unsigned ignored = 0;  // events about no call: counted, never stored
  std::string problem;   // not empty: nobody could read the delivery → dead letter, and why
};

/// A delivery of our own in a channel's form: to be posted to its callback location.
struct CanaryBody {
  std::string content_type;
  std::string body;  // empty = this kind has none
};

/// One kind of channel. Stateless and shared; knows no configuration.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual std::string_view kind() const noexcept = 0;

  /// Whether it calls us back. One that does not is polled, and verify() accepts nothing.
  virtual bool pushes() const noexcept { return true; }

  /// Authentication only. An unreadable body that passes is accepted: it is stored all the same.
  virtual Verified verify(const Inbound& inbound, const Trust& trust) const = 0;
  virtual Answer answer() const noexcept = 0;

  /// A delivery about a call that is none (canary.hpp), which verify() accepts for `account`: what
  /// the location knows the account by, for e9 its appId. It holds no number.
  virtual CanaryBody canary(std::string_view id, std::string_view account) const;

  /// Raw bytes to canonical events. Never throws on content, whatever it is given; every value of
  /// the result is storable (UTF-8, no NUL, cut at its column's width with `truncated`). Keys and
  /// ordinals are set; times are as the channel said them (the fold judges clock nonsense).
  virtual Understood understand(const Delivery& delivery) const = 0;
};

/// The registry: the channel of a kind ("e9"), or null. Adding a coded kind is one line there.
const Channel* find_channel(std::string_view kind) noexcept;

/// The kinds that exist, comma-separated, for messages.
std::string known_kinds();

}  // namespace cc
