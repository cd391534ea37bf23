// What the API may ask for, put together from the parts in this folder.
#pragma once

#include "access/limits.hpp"
#include "call/attempts.hpp"
#include "call/calls.hpp"
#include "call/hangups.hpp"
#include "parts.hpp"

namespace cc {

class CallService final : public Calls {
 public:
  CallService(Parts parts, Attempts& attempts, Hangups& hangups)
      : parts_(parts), attempts_(attempts), hangups_(hangups) {}

  asio::awaitable<std::variant<Created, Refusal>> create(NewCall request) override;
  asio::awaitable<AttemptOutcome> wait_outcome(std::int64_t call,
                                               std::chrono::milliseconds wait) override;
  asio::awaitable<std::optional<StoredRecord>> get(std::string tenant, std::int64_t call,
                                                   std::optional<std::int64_t> above,
                                                   std::chrono::milliseconds wait) override;
  asio::awaitable<std::optional<Timeline>> timeline(std::string tenant, std::int64_t call) override;
  asio::awaitable<std::optional<HangupAnswer>> hangup(std::string tenant, std::int64_t call,
                                                      std::string request_id) override;

  void end_waits() override;

 private:
  Parts parts_;
  Attempts& attempts_;
  Hangups& hangups_;
  CallGates gates_;
  bool stopping_ = false;
};

}  // namespace cc
