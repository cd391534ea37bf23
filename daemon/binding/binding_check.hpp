// What can be said of a binding that somebody wishes for before PostgreSQL is asked. Pure.
#pragma once

#include <vector>

#include "binding/bindings.hpp"
#include "config.hpp"

namespace cc {

struct CheckedBinding {
  Binding binding;  // its numbers in their stored form; only to be used where nothing is refused
  std::vector<BindingRefusal> refusals;  // all that is wrong
  std::vector<std::size_t> seats;        // places of the lines that must be known as agents
};

CheckedBinding check_binding(const Config& config, Binding wish);

/// Of a line that is on a channel with seats and no agent of the binding's tenant.
BindingRefusal refuse_unknown_line(const Binding& binding, std::size_t place);

}  // namespace cc
