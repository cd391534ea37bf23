// Tenants that each have something of everything, to see what others get to see of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "stack.hpp"

namespace cc::test {

using Values = std::map<std::string, std::string>;

/// A tenant with a bit of everything, and words in it that stand nowhere else.
struct Owner {
  std::string tenant, key;
  Values values;                  // by the name of a parameter
  std::set<std::string> planted;  // nobody else may ever see these
};

/// The stack's two, and one ("made") that commands make, whose calls may go to e9 only. Throws what
/// is answered where something can't be planted.
std::vector<Owner> plant_owners(const Stack& stack);

}  // namespace cc::test
