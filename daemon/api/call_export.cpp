#include "call_export.hpp"

#include <memory>
#include <utility>

#include "call_csv.hpp"

namespace cc::api {
namespace {

constexpr std::size_t page_calls = 500;

struct Progress {
  CallExport wish;
  std::optional<Cursor> cursor = Cursor{};  // nothing = all has been read
  bool begun = false, ended = false;
  std::int64_t count = 0;
};

asio::awaitable<std::optional<std::string>> next_part(std::shared_ptr<Progress> progress) {
  CallExport& wish = progress->wish;
  std::string part;
  if (!progress->begun) {
    if (wish.bom) part = "\xEF\xBB\xBF";
    part += csv_header(wish.sight);
    progress->begun = true;
  }
  // Pages may be empty, where a filter passes few calls; a part must not be.
  while (progress->cursor && part.empty()) {
    auto reading = wish.query->page(wish.filter, *progress->cursor, page_calls);
    const CallPage page = co_await std::move(reading);
    for (const StoredRecord& record : page.calls) part += csv_line(record, wish.sight);
    progress->count += static_cast<std::int64_t>(page.calls.size());
    progress->cursor = page.next;
  }
  if (!progress->cursor && !progress->ended) {
    progress->ended = true;
    if (wish.audit != nullptr) {
      wish.entry.count = progress->count;
      auto telling = wish.audit->keep(wish.entry);
      co_await std::move(telling);
    }
  }
  if (part.empty()) co_return std::nullopt;
  co_return part;
}

}  // namespace

std::function<asio::awaitable<std::optional<std::string>>()> export_calls(CallExport wish) {
  auto progress = std::make_shared<Progress>();
  progress->wish = std::move(wish);
  return [progress] { return next_part(progress); };
}

}  // namespace cc::api
