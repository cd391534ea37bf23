// What tests of recordings share: a bucket of Aliyun OSS, played by tests/oss; what the channel's
// simulator has; the way to the ear.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process.hpp"
#include "stack.hpp"

namespace cc::test {

/// The bucket that `scripts/stack --oss` knows.
class Bucket {
 public:
  Bucket();
  ~Bucket();
  Bucket(const Bucket&) = delete;

  /// For Stack's constructor.
  std::vector<std::string> options() const { return {"--oss", endpoint_}; }

  json::array objects() const;
  json::array uploads() const;
  json::value counters() const;
  /// Throws what the simulator says if it refuses.
  void fault(const std::string& keys) const;
  void no_faults() const;
  Answer control(const std::string& method, const std::string& path,
                 const std::string& body = "") const;

 private:
  TempDir folder_;
  std::unique_ptr<Process> process_;
  std::string endpoint_, control_;
};

/// Lower-case hex.
std::string md5_of(const std::string& bytes);

/// What the channel's simulator knows of a call's recording: size, md5, asked, cut, whole.
json::value truth(const Stack& stack, const json::value& record);

/// A call over e9 whose recording is as the script's `recording` says; its id.
std::string make_call(const Stack& stack, const std::string& recording, const std::string& more = "");

/// Asks until the record's recording.state is `state`; throws with the last answer after `timeout`.
json::value await_recording(const Stack& stack, const std::string& call,
                            const std::string& state = "stored", Millis timeout = Millis{30'000});

/// GET of what an answer's Location, or a url, leads to: as a browser does, without a key.
Answer follow(const Stack& stack, const std::string& url,
              const std::vector<std::string>& headers = {}, const std::string& method = "GET");

}  // namespace cc::test
