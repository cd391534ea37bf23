#include "recordings.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace cc::test {

Bucket::Bucket() {
  const std::string output = folder_.file("bucket.log");
  process_ = std::make_unique<Process>(Launch{
      .command = {"/usr/bin/env", "node", CC_SOURCE_DIR "/tests/oss/simulator.mjs", "--port", "0",
                  "--data", folder_.path(), "--bucket", "stack-recordings", "--region",
                  "cn-hangzhou", "--access-key-id", "stack", "--access-key-secret",
                  "stack-oss-secret", "--journal", folder_.file("bucket.jsonl")},
      .output = output});
  json::value ports;
  const bool up = eventually([&] {
    const std::string text = read_file(output);
    const std::size_t end = text.find('\n');
    if (end == std::string::npos) return false;
    ports = json::parse(text.substr(0, end));
    return true;
  });
  if (!up) throw std::runtime_error("the bucket does not come up: " + read_file(output));
  endpoint_ = "http://127.0.0.1:" + text_at(ports, "port");
  control_ = "http://127.0.0.1:" + text_at(ports, "control");
}

Bucket::~Bucket() = default;

Answer Bucket::control(const std::string& method, const std::string& path,
                       const std::string& body) const {
  return send({.method = method, .url = control_ + "/_control/" + path, .body = body});
}

json::array Bucket::objects() const {
  return control("GET", "objects").body().at("objects").as_array();
}

json::array Bucket::uploads() const {
  return control("GET", "uploads").body().at("uploads").as_array();
}

json::value Bucket::counters() const {
  return control("GET", "counters").body();
}

void Bucket::fault(const std::string& keys) const {
  const Answer answer = control("POST", "faults", keys);
  if (answer.status != 200) throw std::runtime_error("the bucket refuses " + keys + ": " + answer.text);
}

void Bucket::no_faults() const {
  control("DELETE", "faults");
}

std::string md5_of(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[digest[i] >> 4U];
    hex += digits[digest[i] & 15U];
  }
  return hex;
}

json::value truth(const Stack& stack, const json::value& record) {
  return stack.simulator("recordings/" + text_at(record, "channelCallId"));
}

std::string make_call(const Stack& stack, const std::string& recording, const std::string& more) {
  static int number = 0;
  const std::string digits = std::to_string(10'000 + number++).substr(1);
  const std::string called = "1370000" + digits;
  const Answer script =
      stack.simulator("PUT", "scripts/" + called,
                      R"({"preset":"instant","recording":)" + recording + "}");
  if (script.status != 200) throw std::runtime_error("no such script: " + script.text);
  const Answer made = stack.post("/v1/calls", call_body("1398000" + digits, called, more));
  if (made.status != 202) throw std::runtime_error("no call: " + made.text);
  return made.at("callId");
}

json::value await_recording(const Stack& stack, const std::string& call, const std::string& state,
                            Millis timeout) {
  Answer answer;
  const bool there = eventually(
      [&] {
        answer = stack.get("/v1/calls/" + call);
        const json::value body = answer.body();
        if (!body.is_object() || !body.as_object().contains("recording")) return false;
        return text_at(body.at("recording"), "state") == state;
      },
      timeout);
  if (!there) {
    throw std::runtime_error("the recording of " + call + " is not " + state + ": " + answer.text +
                             " " +
                             stack.sql("SELECT state, tries, problem FROM recording WHERE call = " +
                                       call));
  }
  return answer.body();
}

Answer follow(const Stack& stack, const std::string& url, const std::vector<std::string>& headers,
              const std::string& method) {
  const std::string whole = url.starts_with("/") ? stack.env("CC_API") + url : url;
  return send({.method = method, .url = whole, .headers = headers});
}

}  // namespace cc::test
