// ccd's commands, run beside the daemons of a stack.
#pragma once

#include <string>
#include <vector>

#include "stack.hpp"

namespace cc::test {

/// `ccd --config … <words>`: its exit code and all that it says.
Outcome ccd_command(const Stack& stack, const std::vector<std::string>& words);

/// A key, by `ccd key create` or `rotate` with these words. Throws what the command says if it
/// makes none.
std::string made_key(const Stack& stack, const std::vector<std::string>& words);

/// A request with this key, on ccd's own port (or that of `base`).
Call with_key(const Stack& stack, const std::string& key, const std::string& method,
              const std::string& path, const std::string& body = "", const std::string& base = "");

}  // namespace cc::test
