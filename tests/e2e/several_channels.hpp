// A stack whose calls have a choice of channels: e9 (priority 100), e9b (150, a second account of
// Jiuyun's) and hw (200), and what tests ask of the attempts that its calls make.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stack.hpp"

namespace cc::test {

/// scripts/stack.d/cc.yaml with other words in some places, in a folder of its own.
class Configuration {
 public:
  using Changes = std::vector<std::pair<std::string, std::string>>;  // what stands there, instead

  /// Throws where the file does not have what is to be changed.
  explicit Configuration(const Changes& changes);

  /// Of a stack with this configuration, both simulators of Jiuyun and `more`.
  std::vector<std::string> options(const std::vector<std::string>& more = {}) const;

 private:
  TempDir folder_;
};

/// The configuration's health: {…}, as a change.
std::pair<std::string, std::string> health(const std::string& limits);

/// A call's attempts as its timeline tells them.
json::array attempts_of(const Stack& stack, const std::string& call);
/// The same in words: "e9 refused, e9b accepted".
std::string story(const Stack& stack, const std::string& call);
/// The names of its events from CC itself, "attempt.planned 1" first.
std::vector<std::string> steps(const Stack& stack, const std::string& call);

/// The originates that a simulator of Jiuyun took for this call, refused ones included.
std::size_t originates(const std::vector<json::object>& requests, const std::string& call);

/// How often a phone rang as leg A, at any channel.
std::size_t rings(const Stack& stack, const std::string& phone);

/// Of claims that the call still holds.
std::string claims(const Stack& stack, const std::string& call);

/// PATCH /v1/channels/{channel}; throws unless it answers 200.
void set_channel(const Stack& stack, const std::string& channel, const std::string& wish);

/// What GET /v1/channels/{channel} says.
json::value channel(const Stack& stack, const std::string& code);
bool await_channel(const Stack& stack, const std::string& code, const std::string& state,
                   Millis timeout = Millis{20'000});

/// The sum of a metric's samples; a part of their labels may be named too.
double metric(const Stack& stack, const std::string& name, const std::string& labels = "");
/// The same of the ccd whose API is at this URL.
double metric_of(const std::string& url, const std::string& name, const std::string& labels = "");

/// The call's events and its sending were hours ago, as far as the reaper can see.
void let_hours_pass(const Stack& stack, const std::string& call);

}  // namespace cc::test
