#include "pg_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <set>
#include <sys/socket.h>

#include <boost/system/system_error.hpp>

namespace cc::pg {
namespace {

constexpr std::size_t most_prepared = 512;  // a connection; what is beyond is parsed each time
constexpr std::size_t most_params = 65535;  // the protocol's

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n' || c == '\t') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c;
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// What libpq itself says of a lost link. Its buffer can also hold an earlier statement's error with
// its DETAIL, and so values: only known beginnings are let through.
std::string reason_of(const PGconn* pg) {
  const std::string_view text = PQerrorMessage(pg);
  for (const std::string_view known :
       {"server closed the connection unexpectedly", "could not receive data from server",
        "could not send data to server", "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error", "no connection to the server"}) {
    const auto at = text.rfind(known);
    if (at != std::string_view::npos) return std::string(text.substr(at, text.find('\n', at) - at));
  }
  return "connection lost";
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

std::string twin_column(const PGresult* result) {
  std::set<std::string_view> seen;
  for (int i = 0; i < PQnfields(result); ++i) {
    const std::string_view name = PQfname(result, i);
    if (name != "?column?" && !seen.insert(name).second) return std::string(name);
  }
  return {};
}

}  // namespace

std::string complete_conninfo(const std::string& conninfo, std::string_view options) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(conninfo.c_str(), &problem), &PQconninfoFree);
  if (!parsed) {
    // libpq's message can quote the string, and that can hold a password.
    PQfreemem(problem);
    throw Failure("", "the connection string cannot be read");
  }
  std::string full, given_options;
  bool gss_given = false, name_given = false;
  const auto add = [&full](std::string_view key, std::string_view value) {
    full.append(key).append("='");
    for (const char c : value) {
      if (c == '\'' || c == '\\') full += '\\';
      full += c;
    }
    full += "' ";
  };
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view key = option->keyword;
    if (key == "options") {
      given_options = option->val;
      continue;
    }
    if (key == "client_encoding") continue;
    gss_given = gss_given || key == "gssencmode";
    name_given = name_given || key == "fallback_application_name";
    add(key, option->val);
  }
  add("client_encoding", "UTF8");
  if (!gss_given) add("gssencmode", "disable");  // looking for Kerberos tickets can block
  if (!name_given) add("fallback_application_name", "cc");
  if (!options.empty() && !given_options.empty()) given_options += ' ';
  given_options += options;
  if (!given_options.empty()) add("options", given_options);
  return full;
}

Failure failure_of(const PGresult* result) {
  std::string state = field(result, PG_DIAG_SQLSTATE);
  std::string message = one_line(field(result, PG_DIAG_MESSAGE_PRIMARY));
  // Data exceptions quote the value that they complain about.
  if (state.starts_with("22")) {
    const auto first = message.find('"'), last = message.rfind('"');
    if (first < last && last != std::string::npos)
      message.replace(first + 1, last - first - 1, "…");
  }
  if (message.empty()) message = "the server gave no reason";
  return {std::move(state), message};
}

void Connection::Impl::close() noexcept {
  if (readiness) readiness->close();
  readiness.reset();
  if (pg != nullptr) PQfinish(pg);
  pg = nullptr;
  prepared.clear();
  owed = 0;
}

void Connection::Impl::lose(const std::string& why) {
  close();
  throw Failure("", why);
}

void Connection::Impl::lose() {
  std::string why = last_fatal;
  if (why.empty()) why = pg != nullptr ? reason_of(pg) : "connection closed";
  lose(why);
}

bool Connection::Impl::in_transaction() const noexcept {
  return pg != nullptr && owed == 0 && PQtransactionStatus(pg) != PQTRANS_IDLE;
}

asio::awaitable<void> Connection::Impl::wait(std::shared_ptr<Impl> self, bool to_write,
                                             Waiter::TimePoint deadline) {
  const auto watched = self->readiness;
  const bool ready = co_await watched->wait(true, to_write, deadline);
  if (!ready) {
    self->lose("no answer within " + std::to_string(self->timeout.count()) + " ms");
  }
  if (self->pg == nullptr) throw Failure("", "connection closed");
  if (PQconsumeInput(self->pg) == 0) {
    // What had arrived before the end may tell why, or even be the whole answer.
    if (PQisBusy(self->pg) == 1) self->lose();
  }
}

asio::awaitable<void> Connection::Impl::connect(std::shared_ptr<Impl> self, std::string conninfo,
                                                Millis timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const std::string full = complete_conninfo(conninfo, {});
  self->pg = PQconnectStart(full.c_str());
  if (self->pg == nullptr) throw Failure("", "out of memory");
  PQsetNoticeReceiver(
      self->pg, [](void*, const PGresult*) {}, nullptr);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(self->pg) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    // libpq may put another socket in place of this one at every step (TLS refused, next address).
    try {
      self->readiness = Readiness::of(self->executor, PQsocket(self->pg));
    } catch (const boost::system::system_error& error) {
      self->lose(error.code().message());
    }
    const auto watched = self->readiness;
    const bool ready = co_await watched->wait(next == PGRES_POLLING_READING,
                                              next == PGRES_POLLING_WRITING, deadline);
    watched->close();
    if (self->pg == nullptr) throw Failure("", "connection closed");
    if (!ready) self->lose("no connection within " + std::to_string(timeout.count()) + " ms");
    next = PQconnectPoll(self->pg);
  }
  if (PQstatus(self->pg) != CONNECTION_OK) self->lose(one_line(PQerrorMessage(self->pg)));
  if (PQsetnonblocking(self->pg, 1) != 0 || PQenterPipelineMode(self->pg) == 0) self->lose();
  try {
    self->readiness = Readiness::of(self->executor, PQsocket(self->pg));
  } catch (const boost::system::system_error& error) {
    self->lose(error.code().message());
  }
}

void Connection::Impl::check(const std::vector<Statement>& statements) const {
  if (busy) throw std::logic_error("two coroutines on one database connection");
  if (!usable()) throw Failure("", "the connection is closed");
  for (const Statement& statement : statements) {
    if (statement.params.size() > most_params) throw std::logic_error("too many parameters");
    for (const Param& param : statement.params) {
      if (param.holds_nul()) throw Failure("22021", "a text parameter holds a zero byte");
    }
  }
}

void Connection::Impl::send(const std::vector<Statement>& statements, Exchange& exchange) {
  std::unordered_map<std::string_view, std::string> under_way;  // prepared by this pipeline
  std::vector<const char*> values;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const Statement& statement = statements[i];
    values.clear();
    for (const Param& param : statement.params) values.push_back(param.data());
    const int count = static_cast<int>(values.size());

    bool first_time = false;
    std::string name;
    if (const auto known = prepared.find(statement.sql); known != prepared.end()) {
      name = known->second;
    } else if (const auto sent = under_way.find(statement.sql); sent != under_way.end()) {
      name = sent->second;
    } else if (prepared.size() + under_way.size() < most_prepared) {
      first_time = true;
      name = "s" + std::to_string(++names_given);
      under_way.emplace(statement.sql, name);
    }
    const std::string sql = first_time || name.empty() ? std::string(statement.sql) : std::string();
    if (first_time) {
      if (PQsendPrepare(pg, name.c_str(), sql.c_str(), 0, nullptr) == 0) lose();
      exchange.expected.push_back({i, statement.sql, name, false});
    }
    const int sent =
        name.empty()
            ? PQsendQueryParams(pg, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0)
            : PQsendQueryPrepared(pg, name.c_str(), count, values.data(), nullptr, nullptr, 0);
    if (sent == 0) lose();
    exchange.expected.push_back({i, statement.sql, {}, first_time || name.empty()});
  }
  if (PQpipelineSync(pg) == 0) lose();
}

void Connection::Impl::take(Rows rows, PGresult* result, Exchange& exchange) {
  const ExecStatusType status = PQresultStatus(result);
  if (exchange.answered >= exchange.expected.size()) {
    if (last_fatal.empty() && !field(result, PG_DIAG_SQLSTATE).empty()) {
      last_fatal = failure_of(result).what();
    }
    lose();
  }
  const Exchange::Answer& answer = exchange.expected[exchange.answered++];
  switch (status) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (!answer.prepares.empty()) {
        prepared.emplace(answer.sql, answer.prepares);
        break;
      }
      if (answer.check_columns && exchange.twin_column.empty()) {
        exchange.twin_column = twin_column(result);
      }
      exchange.rows.push_back(std::move(rows));
      break;
    case PGRES_FATAL_ERROR: {
      Failure failure = failure_of(result);
      if (failure.sqlstate.empty() || PQstatus(pg) == CONNECTION_BAD) {
        if (last_fatal.empty() && !failure.sqlstate.empty()) last_fatal = failure.what();
        lose();
      }
      // Prepared for tables that have changed since, or forgotten by the server.
      if (failure.sqlstate == "0A000" || failure.sqlstate == "26000") stale = true;
      if (field(result, PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR") last_fatal = failure.what();
      exchange.failed_statement = answer.statement;
      exchange.failure = std::move(failure);
      break;
    }
    case PGRES_PIPELINE_ABORTED:
      break;
    default:
      lose("an answer of another kind than expected (COPY?)");
  }
}

bool Connection::Impl::take_owed() {
  int nulls = 0;
  while (owed > 0 && PQisBusy(pg) == 0) {
    PGresult* result = PQgetResult(pg);
    const ExecStatusType status = result != nullptr ? PQresultStatus(result) : PGRES_COMMAND_OK;
    PQclear(result);
    if (result == nullptr) {
      if (++nulls > 3) return false;
      continue;
    }
    nulls = 0;
    if (status == PGRES_PIPELINE_SYNC) {
      --owed;
    } else if (status != PGRES_COMMAND_OK) {
      return false;
    }
  }
  return true;
}

bool Connection::Impl::take_answers(Exchange& exchange) {
  if (!take_owed()) lose();
  int nulls = 0;
  while (PQisBusy(pg) == 0) {
    PGresult* result = PQgetResult(pg);
    if (result == nullptr) {
      // One null comes behind each answer; more mean that libpq expects nothing any more.
      if (PQstatus(pg) == CONNECTION_BAD || ++nulls > 3) lose();
      continue;
    }
    nulls = 0;
    Rows rows(result);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
      take(std::move(rows), result, exchange);
      continue;
    }
    if (exchange.answered != exchange.expected.size()) lose("answers are missing");
    if (PQisBusy(pg) == 0) PQclear(PQgetResult(pg));  // lets libpq see that it is idle
    return true;
  }
  if (PQstatus(pg) == CONNECTION_BAD) lose();
  return false;
}

asio::awaitable<void> Connection::Impl::receive(std::shared_ptr<Impl> self, Exchange& exchange) {
  const auto deadline = std::chrono::steady_clock::now() + self->timeout;
  for (;;) {
    const int flushed = PQflush(self->pg);
    if (flushed < 0) self->lose();
    co_await wait(self, flushed > 0, deadline);
    if (self->take_answers(exchange)) co_return;
  }
}

asio::awaitable<void> Connection::Impl::run_script(std::shared_ptr<Impl> self, std::string sql,
                                                   std::optional<Failure>& failure) {
  const auto deadline = std::chrono::steady_clock::now() + self->timeout;
  // The simple protocol is closed to a session in pipeline mode, and that can be left only when
  // idle.
  while (self->owed > 0) {
    if (!self->take_owed()) self->lose();
    if (self->owed > 0) co_await wait(self, false, deadline);
  }
  PQclear(PQgetResult(self->pg));
  if (PQexitPipelineMode(self->pg) == 0 || PQsendQuery(self->pg, sql.c_str()) == 0) self->lose();
  for (;;) {
    const int flushed = PQflush(self->pg);
    if (flushed < 0) self->lose();
    while (PQisBusy(self->pg) == 0) {
      PGresult* result = PQgetResult(self->pg);
      if (result == nullptr) {
        if (PQstatus(self->pg) == CONNECTION_BAD) self->lose();
        if (PQenterPipelineMode(self->pg) == 0) self->lose();
        co_return;
      }
      const Rows owner(result);
      const ExecStatusType status = PQresultStatus(result);
      if (status == PGRES_FATAL_ERROR && !failure) {
        failure = failure_of(result);
        const std::string place = field(result, PG_DIAG_STATEMENT_POSITION);
        if (failure->sqlstate.empty()) self->lose();
        if (!place.empty()) {
          // In characters, not bytes: near enough for finding the line.
          const auto end = std::min<std::size_t>(std::stoul(place), sql.size());
          const auto lines = std::count(sql.begin(), sql.begin() + static_cast<long>(end), '\n');
          failure = Failure(failure->sqlstate, std::string(failure->what()) + " (line " +
                                                   std::to_string(lines + 1) + ")");
        }
      } else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        self->lose("COPY is not for scripts");
      }
    }
    co_await wait(self, flushed > 0, deadline);
  }
}

void Connection::Impl::roll_back() {
  if (!usable()) return close();
  // A few bytes on an idle link: they fit the socket's buffer, or something is wrong with it.
  const bool sent =
      PQsendQueryParams(pg, "ROLLBACK", 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
      PQpipelineSync(pg) == 1 && PQflush(pg) == 0;
  if (!sent) return close();
  ++owed;
}

bool Connection::Impl::alive() {
  // A restarted server leaves an end of file behind, and perhaps its farewell before that.
  for (int tries = 0; usable() && tries < 8; ++tries) {
    char byte = 0;
    const ssize_t seen = ::recv(PQsocket(pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (seen < 0 && errno == EINTR) continue;
    if (seen <= 0 || PQconsumeInput(pg) == 0) break;
    if (PQisBusy(pg) == 0 && !take_owed()) break;
    if (PQstatus(pg) == CONNECTION_BAD) break;
  }
  close();
  return false;
}

}  // namespace cc::pg
