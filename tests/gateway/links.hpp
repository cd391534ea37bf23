// The open connections: so that a restart or a refusal can cut them and idle ones go.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "clock.hpp"

namespace gateway {

class Link {
 public:
  virtual ~Link() = default;
  virtual void cut() = 0;

  std::int64_t number = 0;
  bool at_door = false;                      // it came in by the gateway's port
  bool at_control = false;                   // its latest request was for the control API
  bool at_work = false;                      // a request is being handled
  Steady::time_point since = Steady::now();  // of the latest change of at_work
};

class Links {
 public:
  void add(Link& link) {
    link.number = ++made_;
    links_.insert(&link);
  }
  void remove(Link& link) { links_.erase(&link); }
  std::size_t size() const { return links_.size(); }

  // How many there were.
  std::int64_t cut_gateway() {
    std::int64_t count = 0;
    for (auto link : links_)
      if (link->at_door && !link->at_control) {
        link->cut();
        ++count;
      }
    return count;
  }

  void sweep() {
    auto const oldest = Steady::now() - longest_rest;
    for (auto link : links_)
      if (!link->at_work && link->since < oldest) link->cut();
  }

 private:
  static constexpr auto longest_rest = std::chrono::seconds(150);
  std::set<Link*> links_;
  std::int64_t made_ = 0;
};

}  // namespace gateway
