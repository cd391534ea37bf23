#include "http_transfer.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <unistd.h>

#include "public_address.hpp"

namespace cc {
namespace {

constexpr std::size_t most_header_bytes = 65536;
constexpr std::size_t small_answer = std::size_t{256} * 1024;
constexpr long small_buffer = 2048, large_buffer = 65536;

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

long milliseconds(std::chrono::milliseconds duration) {
  // 0 would be no limit at all to curl.
  return static_cast<long>(std::clamp<std::int64_t>(duration.count(), 1, 86'400'000));
}

}  // namespace

HttpTransfer::HttpTransfer(HttpRequest request, Waiter& waiter, HttpSink* sink)
    : request_(std::move(request)), waiter_(waiter), sink_(sink), easy_(curl_easy_init()) {}

HttpTransfer::~HttpTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

HttpTransfer& HttpTransfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<HttpTransfer*>(self);
}

bool HttpTransfer::prepare() {
  if (easy_ == nullptr) {
    exchange_.problem = "out of memory";
    return false;
  }
  CURLcode bad = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (bad == CURLE_OK) bad = code;
  };
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs in its thread is left behind rather than waited for.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);  // what was signed is what is sent
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // also silences http_proxy in the environment
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request_.connect_timeout));
  if (sink_ != nullptr) {
    set(CURLOPT_BUFFERSIZE, large_buffer);
  } else {
    set(CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout));
    // One for each transfer under way, and of long polls there are thousands.
    if (request_.max_answer <= small_answer) set(CURLOPT_BUFFERSIZE, small_buffer);
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_answer));
  }
  if (request_.public_only) {
    set(CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  }
  if (!request_.ca_file.empty()) {
    set(CURLOPT_CAINFO, request_.ca_file.c_str());
    // Nobody else is trusted then; curl would go on looking in the system's folder.
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (request_.only_once) {
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  set(CURLOPT_PREREQFUNCTION, &HttpTransfer::before_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (bad != CURLE_OK) {
    exchange_.problem = curl_easy_strerror(bad);
    return false;
  }
  return set_method() && set_headers();
}

bool HttpTransfer::set_method() {
  if (!is_token(request_.method)) {
    exchange_.problem = "the method is not a token";
    return false;
  }
  CURLcode code = CURLE_OK;
  if (request_.method == "HEAD") {
    code = curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (request_.method == "GET" && request_.body.empty()) {
    code = curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  } else {
    const bool sends_length = !request_.body.empty() || request_.method == "POST" ||
                              request_.method == "PUT" || request_.method == "PATCH";
    if (sends_length) {
      code = curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                              static_cast<curl_off_t>(request_.body.size()));
      if (code == CURLE_OK) {
        code = curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
      }
    }
    if (code == CURLE_OK) {
      code = curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
  }
  if (code != CURLE_OK) exchange_.problem = curl_easy_strerror(code);
  return code == CURLE_OK;
}

bool HttpTransfer::set_headers() {
  bool has_type = false;
  std::vector<std::string> lines{"Expect:"};  // never wait for a 100
  for (const auto& [name, value] : request_.headers) {
    const std::string_view trimmed = trim(value);
    if (!is_token(name) || !is_value(trimmed)) {
      exchange_.problem = "a header of the request is not one";
      return false;
    }
    if (lower(name) == "content-type") has_type = true;
    // "Name:" would take the header away; a semicolon sends it empty.
    lines.push_back(trimmed.empty() ? name + ";" : name + ": " + std::string(trimmed));
  }
  if (!has_type) lines.emplace_back("Content-Type:");  // curl would claim that it is a form
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    if (longer == nullptr) {
      exchange_.problem = "out of memory";
      return false;
    }
    headers_ = longer;
  }
  return curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_) == CURLE_OK;
}

curl_socket_t HttpTransfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  if (!is_public_address(address->addr)) {
    static_cast<HttpTransfer*>(self)->not_public_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int HttpTransfer::before_request(void* self, char* address, char*, int, int) {
  HttpTransfer& transfer = *static_cast<HttpTransfer*>(self);
  // A connection that was made for somebody else may be there still.
  if (transfer.request_.public_only && (address == nullptr || !is_public_address(address))) {
    transfer.not_public_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  // Curl comes here again where a kept-alive connection turned out to be dead.
  if (transfer.let_go_ && transfer.request_.only_once) return CURL_PREREQFUNC_ABORT;
  try {
    if (transfer.request_.may_send && !transfer.request_.may_send()) transfer.withheld_ = true;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    transfer.withheld_ = true;
  }
  if (transfer.withheld_) return CURL_PREREQFUNC_ABORT;
  transfer.let_go_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t HttpTransfer::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  HttpTransfer& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t bytes = size * count;
  transfer.header_bytes_ += bytes;
  if (transfer.header_bytes_ > most_header_bytes) {
    transfer.too_large_ = true;
    return 0;
  }
  try {
    transfer.header_line({data, bytes});
  } catch (const std::exception&) {  // no memory; nothing may fly through curl
    return 0;
  }
  return bytes;
}

void HttpTransfer::header_line(std::string_view line) {
  if (headers_over_) return;  // trailers
  if (exchange_.headers.empty() && line.starts_with("HTTP/")) return;
  const std::string_view text = trim(line);
  if (text.empty()) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200) {
      headers_over_ = true;
      if (sink_ != nullptr) sink_->take_head();
    } else {
      exchange_.headers.clear();  // 1xx: the answer is still to come
    }
    return;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return;
  exchange_.headers.emplace_back(lower(trim(text.substr(0, colon))),
                                 std::string(trim(text.substr(colon + 1))));
}

std::size_t HttpTransfer::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  HttpTransfer& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t bytes = size * count;
  if (transfer.sink_ != nullptr) {
    return transfer.sink_->take({data, bytes}) ? bytes : std::size_t{CURL_WRITEFUNC_PAUSE};
  }
  std::string& body = transfer.exchange_.body;
  if (bytes > transfer.request_.max_answer - std::min(body.size(), transfer.request_.max_answer)) {
    transfer.too_large_ = true;
    return 0;
  }
  try {
    body.append(data, bytes);
  } catch (const std::exception&) {
    return 0;
  }
  return bytes;
}

void HttpTransfer::finish(CURLcode code) {
  code_ = code;
  finished_ = true;
  waiter_.wake();
}

HttpExchange::End HttpTransfer::end_of(CURLcode code) const {
  using End = HttpExchange::End;
  // Curl takes a head that is cut off for a whole one.
  if (code == CURLE_OK) return headers_over_ ? End::answered : End::broken;
  if (let_go_) return code == CURLE_OPERATION_TIMEDOUT ? End::timed_out : End::broken;
  if (withheld_) return End::withheld;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return End::not_resolved;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return End::tls_failed;
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t resolved = 0;
      curl_easy_getinfo(easy_, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
      if (resolved == 0) return End::not_resolved;
      // Its times don't tell a hanging handshake from a hanging connect; its words do.
      const bool handshake = std::string_view(error_.data()).starts_with("SSL");
      return handshake ? End::tls_failed : End::not_connected;
    }
    default:
      return End::not_connected;
  }
}

std::string HttpTransfer::problem_of(CURLcode code) const {
  if (code == CURLE_OK) return headers_over_ ? "" : "the answer's head is cut off";
  if (!exchange_.problem.empty()) return exchange_.problem;
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) return "the answer is too large";
  if (withheld_ && !let_go_) return "withheld";
  if (not_public_) return "its address is none of the public internet";
  // Curl's longer words only from where they cannot quote the URL or what came.
  const bool safe = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                    code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                    code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR ||
                    code == CURLE_RECV_ERROR;
  return safe && error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
}

HttpExchange HttpTransfer::exchange() {
  if (thrown_) std::rethrow_exception(thrown_);
  exchange_.sent = std::move(request_.body);  // the transfer is out of curl's hands
  if (!exchange_.problem.empty()) {  // never begun
    exchange_.end = HttpExchange::End::not_connected;
    return std::move(exchange_);
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  exchange_.end = end_of(code_);
  exchange_.problem = problem_of(code_);
  exchange_.status = status >= 200 ? static_cast<unsigned>(status) : 0;
  return std::move(exchange_);
}

HttpExchange HttpTransfer::head() {
  HttpExchange head;
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  head.end = HttpExchange::End::answered;
  head.status = static_cast<unsigned>(status);
  head.headers = std::move(exchange_.headers);
  return head;
}

}  // namespace cc
