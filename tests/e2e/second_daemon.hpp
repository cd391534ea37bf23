// A further ccd of a stack's configuration whose API can be asked as the first one's: so that
// calls come by two daemons.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process.hpp"
#include "stack.hpp"

namespace cc::test {

class SecondDaemon {
 public:
  /// Ready when this returns.
  explicit SecondDaemon(const Stack& stack, const std::string& name = "stack-2");

  /// As the application with all scopes.
  Answer get(const std::string& path) const;
  Answer post(const std::string& path, const std::string& body,
              const std::vector<std::string>& headers = {}) const;
  Call post_later(const std::string& path, const std::string& body,
                  const std::vector<std::string>& headers = {}) const;

  const std::string& url() const { return url_; }  // of its API
  Process& process() { return *process_; }
  std::string log() const;

 private:
  TempDir folder_;
  std::string name_, url_, key_;
  std::unique_ptr<Process> process_;
};

}  // namespace cc::test
