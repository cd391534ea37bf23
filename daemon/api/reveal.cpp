#include "reveal.hpp"

#include <utility>

#include "io/pg.hpp"
#include "log.hpp"

namespace cc::api {
namespace {

constexpr std::size_t most_calls = 1000;

AuditEntry entry_of(const Exchange& exchange, std::vector<std::int64_t> calls) {
  AuditEntry entry;
  entry.tenant = exchange.key.tenant->name;
  entry.key = exchange.key.key;
  entry.request_id = exchange.request.id;
  entry.address = exchange.request.peer;
  entry.count = static_cast<std::int64_t>(calls.size());
  if (calls.size() > most_calls) calls.resize(most_calls);
  entry.calls = std::move(calls);
  return entry;
}

}  // namespace

asio::awaitable<void> tell_shown(const Exchange& exchange, std::vector<std::int64_t> calls) {
  AuditTrail* const audit = exchange.parts.nouns.audit;
  if (audit == nullptr || calls.empty() || !exchange.key.may(Scope::numbers)) co_return;
  AuditEntry entry = entry_of(exchange, std::move(calls));
  entry.action = "numbers.shown";
  auto telling = audit->shown(std::move(entry));
  co_await std::move(telling);
}

asio::awaitable<void> tell_done(const Exchange& exchange, std::string action,
                                std::vector<std::int64_t> calls, std::int64_t count,
                                std::string detail) {
  AuditTrail* const audit = exchange.parts.nouns.audit;
  if (audit == nullptr) co_return;
  AuditEntry entry = entry_of(exchange, std::move(calls));
  entry.action = std::move(action);
  entry.count = count;
  entry.detail = std::move(detail);
  auto telling = audit->keep(std::move(entry));
  co_await std::move(telling);
}

asio::awaitable<void> tell_afterwards(const Exchange& exchange, std::string action,
                                      std::vector<std::int64_t> calls, std::string detail) {
  try {
    auto telling = tell_done(exchange, std::move(action), std::move(calls), 1, std::move(detail));
    co_await std::move(telling);
  } catch (const pg::Failure& failure) {
    log().error("request {}: what it did is not in the audit log: {}", exchange.request.id,
                failure.what());
  }
}

}  // namespace cc::api
