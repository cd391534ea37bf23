// The stack that customers' numbers are put into, and all places where they are looked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planted.hpp"
#include "process.hpp"
#include "stack.hpp"

namespace cc::test {

/// Agents of the channel hw.
inline constexpr int first_agent = 1000, last_agent = 1019;

/// Requests are made with a key that sees no numbers but may do everything else. What is answered
/// is looked through.
class Scene {
 public:
  Scene();

  Call request(const std::string& method, const std::string& path, const std::string& body = "",
               const std::vector<std::string>& headers = {},
               const std::string& by = "CC_NGINX") const;
  Answer ask(const std::string& method, const std::string& path, const std::string& body = "",
             const std::vector<std::string>& headers = {}, const std::string& by = "CC_NGINX");
  Answer hear(const std::string& asked, Answer answer);

  /// As a channel, or somebody who plays one. Returns the status.
  long call_back(const std::string& body, const std::string& query = "",
                 const std::string& type = "text/xml", const std::string& path = "");

  /// Looks for numbers in a text.
  void look(const std::string& where, std::string_view text);
  /// In everything that the API, the metrics and NGINX's list of rejects show.
  void look_at_answers(std::size_t least_calls);
  /// In logs, names of files and arguments of processes.
  void look_at_files();

  /// Logs of CC's parts. Journals and logs of simulators are theirs: they play channels, who know
  /// the numbers.
  std::vector<std::string> own_logs() const;

  const std::string& key() const { return key_; }

 private:
  std::string make_yaml() const;
  /// The ids of a whole list.
  std::vector<std::string> read_list(const std::string& path, const std::string& id);

  TempDir folder_;
  std::string key_ = "cc_sees_no_numbers_but_administers";

 public:
  Stack stack;  // behind what it is made from
  Planted planted;
  std::vector<std::string> found;  // "NUMBER is in PLACE"
};

}  // namespace cc::test
