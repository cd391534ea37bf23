#include "import.hpp"

#include <algorithm>
#include <utility>

namespace cc {
namespace {

constexpr std::size_t batch_size = 500;

void add(ImportResult& to, ImportResult batch) {
  to.created += batch.created;
  to.changed += batch.changed;
  to.same += batch.same;
  for (FileComplaint& one : batch.complaints) to.complaints.push_back(std::move(one));
}

void sort_by_line(std::vector<FileComplaint>& complaints) {
  std::stable_sort(complaints.begin(), complaints.end(),
                   [](const FileComplaint& a, const FileComplaint& b) { return a.line < b.line; });
}

}  // namespace

asio::awaitable<ImportResult> run_import(std::size_t rows, std::vector<FileComplaint> read,
                                         bool dry, ImportBatch batch,
                                         std::function<void(std::size_t)> progress) {
  ImportResult result;
  result.complaints = std::move(read);
  for (std::size_t from = 0; from < rows; from += batch_size) {
    auto looking = batch(from, std::min(from + batch_size, rows), ImportPass::look);
    add(result, co_await std::move(looking));
  }
  sort_by_line(result.complaints);
  if (dry && result.complaints.empty()) co_return result;
  result.created = result.changed = result.same = 0;  // nothing was done yet
  if (!result.complaints.empty()) co_return result;
  for (std::size_t from = 0; from < rows; from += batch_size) {
    const std::size_t to = std::min(from + batch_size, rows);
    auto changing = batch(from, to, ImportPass::change);
    add(result, co_await std::move(changing));
    if (!result.complaints.empty()) break;
    if (progress) progress(to);
  }
  co_return result;
}

}  // namespace cc
