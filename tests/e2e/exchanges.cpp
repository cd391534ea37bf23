#include "exchanges.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <unistd.h>

namespace cc::test {
namespace {

constexpr long all_of = 200;  // times that the same kind of exchange is kept; then one of so many
constexpr long one_of = 50;
constexpr std::size_t most_bytes = std::size_t{32} << 20;  // of a file

/// "GET /v1/calls/# 200": ids and numbers are all the same.
std::string kind_of(const Call& call, const std::string& path, long status) {
  std::string kind = call.method + " ";
  for (const char c : path.substr(0, path.find('?'))) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || kind.back() != '#') kind += digit ? '#' : c;
  }
  return kind + " " + std::to_string(status);
}

/// "/v1/calls?limit=3" of "http://127.0.0.1:8080/v1/calls?limit=3".
std::string path_of(const std::string& url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string::npos ? host : url.find('/', host + 3);
  return path == std::string::npos ? "/" : url.substr(path);
}

json::object headers_of(const Call& call) {
  json::object headers;
  for (const std::string& line : call.headers) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon), value = line.substr(colon + 1);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    value.erase(0, value.find_first_not_of(' '));
    if (name == "authorization") value = "Bearer …";
    headers[name] = value;
  }
  if (!call.body.empty() && !headers.contains("content-type")) {
    headers["content-type"] = "application/json";  // the client's own
  }
  return headers;
}

/// Is there from the program's start on: an empty one tells that the test ran and had nothing to
/// say.
class File {
 public:
  File() {
    if (folder_ == nullptr) return;
    out_.open(std::string(folder_) + "/" + program_invocation_short_name + "-" +
                  std::to_string(::getpid()) + ".jsonl",
              std::ios::app);
  }

  static File& of_this_process() {
    static File file;
    return file;
  }

  void add(const Call& call, const Answer& answer) {
    const std::string path = path_of(call.url);
    const std::lock_guard guard(lock_);
    if (!out_.is_open()) return;
    const long count = ++seen_[kind_of(call, path, answer.status)];
    if ((count > all_of && count % one_of != 0) || written_ > most_bytes) return;
    json::object exchange;
    exchange["method"] = call.method;
    exchange["target"] = path;
    exchange["headers"] = headers_of(call);
    exchange["body"] = call.body;
    exchange["status"] = answer.status;
    json::object& headers = exchange["answerHeaders"].emplace_object();
    for (const auto& [name, value] : answer.headers) headers[name] = value;
    const auto type = answer.headers.find("content-type");
    const bool sound = type != answer.headers.end() && type->second.starts_with("audio/");
    exchange["answer"] =
        sound && !answer.text.empty() ? std::to_string(answer.text.size()) + " bytes" : answer.text;
    const std::string line = json::serialize(exchange) + "\n";
    written_ += line.size();
    out_ << line << std::flush;
  }

 private:
  const char* folder_ = std::getenv("CC_EXCHANGES");
  std::mutex lock_;
  std::map<std::string, long> seen_;
  std::size_t written_ = 0;
  std::ofstream out_;
};

const File& from_the_start = File::of_this_process();

}  // namespace

void record_exchange(const Call& call, const Answer& answer) {
  const auto server = answer.headers.find("server");
  if (answer.status == 0 || server == answer.headers.end() || server->second != "ccd") return;
  File::of_this_process().add(call, answer);
}

}  // namespace cc::test
