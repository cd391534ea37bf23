// Files that a call's end makes known, put down to be fetched in the very transaction that folds it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "call/calls.hpp"
#include "event.hpp"
#include "io/pg.hpp"

namespace cc {

class RecordingRows {
 public:
  /// What the change of a record makes known.
  void add(const StoredRecord& before, const Folded& after, const std::vector<Event>& history,
           std::int64_t at_ms);

  bool empty() const noexcept { return calls_.empty(); }
  pg::Statement statement() const;

 private:
  void add_file(const char* file, const StoredRecord& before, const Folded& after,
                const std::string& source, std::int64_t at_ms);

  std::vector<std::int64_t> calls_, closed_;
  std::vector<std::string> files_, tenants_, channels_, sources_;
  std::vector<std::optional<std::string>> agents_, channel_call_ids_;
};

}  // namespace cc
