#include "client.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

#include <curl/curl.h>

#include "exchanges.hpp"

namespace cc::test {
namespace {

std::size_t take_body(char* data, std::size_t, std::size_t size, void* answer) {
  static_cast<Answer*>(answer)->text.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* answer) {
  const std::string line(data, size);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return size;
  std::string name = line.substr(0, colon), value = line.substr(colon + 1);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  value.erase(0, value.find_first_not_of(' '));
  value.erase(value.find_last_not_of("\r\n ") + 1);
  static_cast<Answer*>(answer)->headers[name] = value;
  return size;
}

// One request under way; its parts live as long as curl needs them.
class Transfer {
 public:
  Transfer(const Call& call, Answer& answer) : body_(call.body), easy_(curl_easy_init()) {
    for (const std::string& header : call.headers)
      headers_ = curl_slist_append(headers_, header.c_str());
    if (!call.body.empty())
      headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, "Expect:");
    curl_easy_setopt(easy_, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, call.timeout_ms);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    if (!body_.empty() || call.method == "POST") {
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body_.c_str());
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
    }
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &answer);
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, &answer);
  }
  ~Transfer() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }
  Transfer(const Transfer&) = delete;

  CURL* easy() const noexcept { return easy_; }

 private:
  std::string body_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
};

}  // namespace

json::value Answer::body() const {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value(nullptr) : value;
}

std::string Answer::at(const std::string& name) const {
  return text_at(body(), name);
}

std::string text_at(const json::value& object, const std::string& name) {
  if (!object.is_object()) return {};
  const json::value* value = object.get_object().if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return std::string(value->get_string());
  return json::serialize(*value);
}

Answer send(const Call& call) {
  return send_together({call}).front();
}

std::vector<Answer> send_together(const std::vector<Call>& calls) {
  std::vector<Answer> answers(calls.size());
  std::vector<std::unique_ptr<Transfer>> transfers;
  CURLM* multi = curl_multi_init();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    transfers.push_back(std::make_unique<Transfer>(calls[i], answers[i]));
    curl_multi_add_handle(multi, transfers.back()->easy());
  }
  int running = 1;
  while (running > 0) {
    curl_multi_perform(multi, &running);
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Answer* answer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &answer);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &answer->status);
    if (message->data.result != CURLE_OK) {
      answer->status = 0;
      answer->problem = curl_easy_strerror(message->data.result);
    }
  }
  for (const auto& transfer : transfers) curl_multi_remove_handle(multi, transfer->easy());
  curl_multi_cleanup(multi);
  for (std::size_t i = 0; i < calls.size(); ++i) record_exchange(calls[i], answers[i]);
  return answers;
}

}  // namespace cc::test
