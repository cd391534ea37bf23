// Drains every partition that exists: those of the configuration, and those that Redis holds beyond
// it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dispatch/partition.hpp"
#include "health.hpp"

namespace cc {

class Dispatcher {
 public:
  explicit Dispatcher(Parts parts) : parts_(parts) {}

  /// Starts a drain for each partition, and looks for further ones each 30 s, until cancelled.
  asio::awaitable<void> run();

  /// Gives one partition up if this daemon has more than its share and another one fewer. One pass.
  asio::awaitable<void> spread();

  PartHealth health() const;

  /// A partition, as far as this daemon knows it.
  struct View {
    std::string stream;
    bool draining = false;              // by us; of the others' only the name is known
    StreamId cursor;                    // committed up to here
    std::optional<std::int64_t> taken;  // entries that the stream had taken up to there
    std::int64_t drained_ms = 0;
  };
  std::vector<View> views() const;
  /// The least of the partitions that this daemon drains; 0 = none is being drained. For metrics:
  /// whoever judges silence asks the cursors of the whole fleet.
  std::int64_t drained_ms() const;

 private:
  void start(const std::string& stream, asio::any_io_executor executor);

  Parts parts_;
  std::map<std::string, std::shared_ptr<Partition>> partitions_;
};

}  // namespace cc
