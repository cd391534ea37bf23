// Many things at once, from a file: all that is wrong is told before anything is changed.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "csv.hpp"

namespace cc {

namespace asio = boost::asio;

struct ImportResult {
  std::vector<FileComplaint> complaints;  // by line; none = all went well
  std::size_t created = 0, changed = 0, same = 0;

  std::size_t done() const noexcept { return created + changed + same; }
};

enum class ImportPass { look, change };

/// The rows [from, to) of a file in one transaction, which is committed in the pass `change` only,
/// and only where none of them is complained of. Answers the batch's counts and complaints.
using ImportBatch =
    std::function<asio::awaitable<ImportResult>(std::size_t from, std::size_t to, ImportPass pass)>;

/// Looks at all `rows` and, if neither they nor `read` (what reading and checking the file has
/// found) hold a complaint, changes them, up to 500 at once. Complaints beside counts: something
/// came in between the look and the change, and what was not changed yet has been left alone.
/// `dry`: the counts are what it would come to. `progress` is told how many are done. What `batch`
/// throws ends it; what was committed before stays.
asio::awaitable<ImportResult> run_import(std::size_t rows, std::vector<FileComplaint> read,
                                         bool dry, ImportBatch batch,
                                         std::function<void(std::size_t)> progress);

}  // namespace cc
