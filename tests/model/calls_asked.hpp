// What the application asked for, kept apart from what CC made of it.
#pragma once

#include <string>

#include "call/calls.hpp"
#include "config.hpp"

namespace model {

struct Asked {
  cc::NewCall request;
  cc::Display display;
};

/// An originate as the channel gets it.
struct Request {
  std::int64_t call = 0;
  int attempt = 1;
  std::string channel, agent, handset, called;
  std::string show_a, show_b;  // empty: the other leg's number
};

}  // namespace model
