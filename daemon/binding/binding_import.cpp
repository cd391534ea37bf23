#include "binding/binding_import.hpp"

#include <map>
#include <utility>

#include "binding/binding_check.hpp"
#include "binding/binding_store.hpp"

namespace cc {
namespace {

struct Row {
  std::size_t line = 0;
  CheckedBinding checked;
};

FileComplaint complaint(std::size_t line, const BindingRefusal& refusal) {
  return {line, refusal.field, refusal.detail};
}

/// The rows that are right in themselves.
std::vector<Row> check_rows(const Config& config, std::vector<BindingRow> given,
                            std::vector<FileComplaint>& complaints) {
  std::vector<Row> rows;
  std::map<std::string, std::size_t> seen;
  for (BindingRow& row : given) {
    CheckedBinding checked = check_binding(config, std::move(row.wish));
    for (const BindingRefusal& refusal : checked.refusals) {
      complaints.push_back(complaint(row.line, refusal));
    }
    if (!checked.refusals.empty()) continue;
    const auto [first, added] = seen.emplace(checked.binding.user, row.line);
    if (!added) {
      complaints.push_back(
          {row.line, "user",
           "is in line " + std::to_string(first->second) + " already: leave one out"});
      continue;
    }
    rows.push_back({row.line, std::move(checked)});
  }
  return rows;
}

/// The lines of a batch that must be known as agents.
std::vector<Binding::Line> seats_of(const std::vector<Row>& batch) {
  std::vector<Binding::Line> seats;
  for (const Row& row : batch) {
    for (const std::size_t place : row.checked.seats) {
      seats.push_back(row.checked.binding.lines[place]);
    }
  }
  return seats;
}

void complain_of_unknown(const std::vector<Row>& batch, const SeatNames& known,
                         ImportResult& result) {
  for (const Row& row : batch) {
    for (const std::size_t place : row.checked.seats) {
      const Binding::Line& line = row.checked.binding.lines[place];
      if (known.contains({line.channel, line.agent})) continue;
      result.complaints.push_back(
          complaint(row.line, refuse_unknown_line(row.checked.binding, place)));
    }
  }
}

void count(ImportResult& result, BindingChange change) {
  switch (change) {
    case BindingChange::created:
      ++result.created;
      break;
    case BindingChange::changed:
      ++result.changed;
      break;
    case BindingChange::same:
      ++result.same;
      break;
  }
}

/// One transaction; nothing of it stays where one of its lines is not known.
asio::awaitable<ImportResult> run_batch(pg::Pool& pool, std::string tenant, std::vector<Row> batch,
                                        std::int64_t now_ms, ImportPass pass) {
  std::vector<Binding> bindings;
  bindings.reserve(batch.size());
  for (const Row& row : batch) bindings.push_back(row.checked.binding);
  std::vector<pg::Statement> statements;
  statements.push_back(find_seats(tenant, seats_of(batch)));
  statements.push_back(pass == ImportPass::look ? plan_bindings(tenant, bindings)
                                                : write_bindings(tenant, bindings, now_ms));
  pg::Transaction transaction = co_await pool.begin();
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  ImportResult result;
  complain_of_unknown(batch, seats_from_rows(rows[0]), result);
  if (!result.complaints.empty()) co_return result;
  if (pass == ImportPass::change) co_await transaction.commit();
  for (const BindingChange change : changes_from_rows(rows[1], bindings)) count(result, change);
  co_return result;
}

}  // namespace

asio::awaitable<ImportResult> import_bindings(pg::Pool& pool, const Config& config,
                                              std::string tenant, BindingFile file,
                                              std::int64_t now_ms, bool dry,
                                              std::function<void(std::size_t)> progress) {
  std::vector<FileComplaint> complaints = std::move(file.complaints);
  const std::vector<Row> rows = check_rows(config, std::move(file.rows), complaints);
  ImportBatch batch = [&](std::size_t from, std::size_t to, ImportPass pass) {
    const auto begin = rows.begin();
    std::vector<Row> some(begin + static_cast<std::ptrdiff_t>(from),
                          begin + static_cast<std::ptrdiff_t>(to));
    return run_batch(pool, tenant, std::move(some), now_ms, pass);
  };
  auto importing =
      run_import(rows.size(), std::move(complaints), dry, std::move(batch), std::move(progress));
  co_return co_await std::move(importing);
}

}  // namespace cc
