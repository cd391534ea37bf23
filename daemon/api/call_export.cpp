#include "call_export.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include "call_csv.hpp"
#include "io/pg.hpp"
#include "query/scan_gate.hpp"

namespace cc::api {
namespace {

constexpr std::size_t page_calls = 500;

struct Progress {
  CallExport wish;
  std::optional<Cursor> cursor = Cursor{};  // nothing = all has been read
  bool begun = false, ended = false;
  std::int64_t count = 0;
};

/// Nothing where so many others look through calls that its turn did not come: to be asked again.
asio::awaitable<std::optional<CallPage>> next_page(const CallExport& wish, Cursor cursor) {
  std::optional<CallPage> page;
  try {
    auto reading = wish.query->page(wish.filter, cursor, page_calls);
    page = co_await std::move(reading);
  } catch (const pg::Failure& failure) {
    if (failure.sqlstate != busy_state) throw;
  }
  co_return page;
}

asio::awaitable<std::optional<std::string>> next_part(std::shared_ptr<Progress> progress) {
  CallExport& wish = progress->wish;
  std::string part;
  if (!progress->begun) {
    if (wish.bom) part = "\xEF\xBB\xBF";
    part += csv_header(wish.sight);
    progress->begun = true;
  }
  if (progress->cursor && part.empty()) {
    if (wish.still_open && !wish.still_open()) {
      throw std::runtime_error("the key that asked for this export opens it no longer");
    }
    auto reading = next_page(wish, *progress->cursor);
    const std::optional<CallPage> page = co_await std::move(reading);
    if (!page) co_return part;
    for (const StoredRecord& record : page->calls) part += csv_line(record, wish.sight);
    progress->count += static_cast<std::int64_t>(page->calls.size());
    progress->cursor = page->next;
  }
  if (!progress->cursor && !progress->ended) {
    progress->ended = true;
    wish.pass.reset();
    if (wish.audit != nullptr) {
      wish.entry.count = progress->count;
      auto telling = wish.audit->keep(wish.entry);
      co_await std::move(telling);
    }
  }
  if (part.empty() && !progress->cursor) co_return std::nullopt;
  co_return part;
}

}  // namespace

std::function<asio::awaitable<std::optional<std::string>>()> export_calls(CallExport wish) {
  auto progress = std::make_shared<Progress>();
  progress->wish = std::move(wish);
  return [progress] { return next_part(progress); };
}

}  // namespace cc::api
