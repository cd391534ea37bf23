#include "call/another_attempt.hpp"

#include "call/booking.hpp"
#include "call/display.hpp"
#include "call/failover.hpp"
#include "call/settle.hpp"
#include "call/survey.hpp"
#include "call/wish.hpp"
#include "fault.hpp"
#include "log.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

// Whatever the epoch: what a channel said is a fact.
constexpr std::string_view refuse_sql =
    "UPDATE call_attempt SET state = CASE WHEN state IN ('sending', 'unknown') THEN 'refused' ELSE "
    "state END, answered = $3, code = $4, message = $5, line_fault = $6 WHERE call = $1 AND "
    "attempt "
    "= $2";

// What the decision rests on; `ours`: we send it, and nobody has taken us for dead.
constexpr std::string_view known_sql =
    "SELECT a.state, a.channel, a.agent, a.wish, a.hangup_asked IS NOT NULL AS hangup_asked, "
    "a.request_id, a.state = 'sending' AND a.heard IS NULL AND a.owner = $3 AND a.epoch = $4 AND "
    "EXISTS (SELECT 1 FROM "
    "daemon d WHERE d.id = $3 AND d.epoch = $4) AS ours, r.tenant, r.called, r.created, r.user_id, "
    "r.business, r.initiator, r.main_num, r.display_requested, r.record, r.state AS call_state "
    "FROM call_attempt a JOIN call_record r ON r.id = a.call WHERE a.call = $1 AND a.attempt = $2";

constexpr std::string_view tried_sql =
    "SELECT channel, agent, line_fault FROM call_attempt WHERE call = $1";

constexpr std::string_view let_go_sql =
    "UPDATE claim SET released = $3 WHERE call = $1 AND attempt = $2 AND released IS NULL";

constexpr std::string_view supersede_sql =
    "UPDATE call_attempt SET superseded = true WHERE call = $1 AND attempt = $2";

// The phone that rings now: a constant of the call that another line changes.
constexpr std::string_view caller_sql = "UPDATE call_record SET caller = $2 WHERE id = $1";

NewCall request_from(const pg::Rows& known) {
  NewCall request;
  request.tenant = known.text(0, "tenant");
  request.called = known.opt_text(0, "called").value_or("");
  request.initiator = known.text(0, "initiator");
  request.business = known.opt_text(0, "business");
  request.main_num = known.opt_text(0, "main_num");
  request.record = known.boolean(0, "record");
  apply_wish(known.opt_text(0, "wish"), request);
  return request;
}

Tried tried_from(const pg::Rows& rows) {
  Tried tried;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string channel(rows.text(row, "channel"));
    tried.lines.insert(channel + "/" + std::string(rows.text(row, "agent")));
    if (!rows.boolean(row, "line_fault")) tried.channels.insert(channel);
  }
  return tried;
}

/// Takes another line in this transaction; nothing where there is none.
asio::awaitable<std::optional<Booking>> take_another(pg::Transaction& transaction, Parts parts,
                                                     NewCall request, Display display,
                                                     Booking booking) {
  const pg::Rows tried = co_await transaction.query(tried_sql, pg::params(booking.call));
  const Needs needs = needs_of(request, display);
  Found found = co_await find_lines(transaction, parts, std::move(request), needs,
                                    tried_from(tried), booking.now_ms);
  std::vector<Line>* found_lines = std::get_if<std::vector<Line>>(&found.choice);
  if (found_lines == nullptr) co_return std::nullopt;
  std::vector<Line> lines = with_last_resorts(std::move(*found_lines));
  for (Line& line : lines) {
    booking.line = std::move(line);
    std::vector<pg::Statement> statements;
    statements.push_back({"SAVEPOINT line"});
    for (pg::Statement& statement : take_line(booking)) statements.push_back(std::move(statement));
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
    if (line_taken(booking, rows, 1)) co_return booking;
    co_await transaction.query("ROLLBACK TO SAVEPOINT line");
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<Refused> store_refusal(Parts parts, std::int64_t call, int attempt,
                                       OriginateAnswer answer, Facts facts) {
  const std::int64_t now_ms = parts.clock.epoch_ms();
  Refused result;
  pg::Transaction transaction = co_await parts.pool.begin();
  std::vector<pg::Statement> opening;
  opening.push_back({"SET LOCAL lock_timeout = '2s'"});
  opening.push_back({lock_record_sql, pg::params(call)});
  opening.push_back(
      {known_sql, pg::params(call, attempt, parts.membership.id(), parts.membership.epoch())});
  const auto unless_empty = [](const std::string& text) {
    return text.empty() ? OptText{} : OptText{text};
  };
  opening.push_back({refuse_sql, pg::params(call, attempt, now_ms, unless_empty(answer.code),
                                            unless_empty(answer.message), answer.line_fault)});
  const std::vector<pg::Rows> opened = co_await transaction.pipeline(std::move(opening));
  const pg::Rows& known = opened[2];
  if (known.empty()) co_return result;
  result.from = known.text(0, "channel");

  NewCall request = request_from(known);
  FailedAttempt failed;
  failed.attempt = attempt;
  failed.channel = result.from;
  failed.agent = known.text(0, "agent");
  failed.refused = true;
  failed.never_dialled = answer.never_dialled;
  failed.line_fault = answer.line_fault;
  failed.ours = known.boolean(0, "ours") && parts.membership.confirmed();
  failed.hangup_asked = known.boolean(0, "hangup_asked") || known.text(0, "call_state") == "close";
  failed.words = answer.code + (answer.message.empty() ? "" : " " + answer.message);
  Failover decision = after_failure(failed, request.agent.has_value(), request.channel.has_value(),
                                    known.integer(0, "created"), now_ms);

  std::optional<Booking> booking;
  if (decision.next) {
    Booking wanted;
    wanted.call = call;
    wanted.attempt = attempt + 1;
    wanted.tenant = request.tenant;
    wanted.called = request.called;
    wanted.wish = known.opt_text(0, "wish").value_or("{}");
    wanted.request_id = known.opt_text(0, "request_id").value_or("");
    wanted.now_ms = now_ms;
    wanted.send_by_ms = known.integer(0, "created") + attempt_window_ms;
    const Display display = display_from_text(known.opt_text(0, "display_requested"));
    std::vector<pg::Statement> letting_go;
    letting_go.push_back({"SAVEPOINT another"});
    letting_go.push_back({let_go_sql, pg::params(call, attempt, now_ms)});
    co_await transaction.pipeline(std::move(letting_go));
    booking =
        co_await take_another(transaction, parts, std::move(request), display, std::move(wanted));
    if (!booking) {
      co_await transaction.query("ROLLBACK TO SAVEPOINT another");
      decision.reason = "no other line can make the call";
    }
  }

  NewEvents events;
  std::vector<NewEvent>& list = events[call];
  if (booking) {
    Facts why;
    why.reason = decision.reason;
    Facts line;
    line.channel = booking->line.channel;
    line.agent = booking->line.agent;
    booking->line.reason = booking->line.reason + "; " + decision.reason;
    line.reason = booking->line.reason;
    line.request_id = booking->request_id;
    list.push_back(own_event(call, attempt, EventName::attempt_refused, now_ms, facts));
    list.push_back(own_event(call, attempt, EventName::attempt_superseded, now_ms, why));
    list.push_back(own_event(call, attempt + 1, EventName::attempt_planned, now_ms, line));
    std::vector<pg::Statement> statements = write_attempt(*booking);
    statements.push_back({supersede_sql, pg::params(call, attempt)});
    statements.push_back({caller_sql, pg::params(call, booking->line.handset)});
    co_await transaction.pipeline(std::move(statements));
    result.next_attempt = attempt + 1;
    result.to = booking->line.channel;
  } else {
    facts.reason = "not tried elsewhere: " + decision.reason;
    list.push_back(own_event(call, attempt, EventName::attempt_refused, now_ms, facts));
  }
  co_await fold_events(transaction, events, now_ms);
  fault_point("attempt.before_next");
  co_await transaction.commit();
  result.stored = true;
  parts.watch.notify(call);
  co_return result;
}

}  // namespace cc
