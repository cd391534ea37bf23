#include "gateway_rig.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <curl/curl.h>

namespace json = boost::json;

namespace rig {

namespace {

std::string program() {
  auto const& suite = boost::unit_test::framework::master_test_suite();
  if (suite.argc < 2) throw std::runtime_error("usage: gateway_test -- PROGRAM");
  return suite.argv[1];
}

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(bytes, count);
  return count;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* into) {
  std::string const line(bytes, count);
  auto const colon = line.find(": ");
  if (colon == std::string::npos) return count;
  auto name = line.substr(0, colon);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto const end = line.find_last_not_of("\r\n");
  (*static_cast<std::map<std::string, std::string>*>(into))[name] =
      line.substr(colon + 2, end - colon - 1);
  return count;
}

pid_t spawn(std::vector<std::string> words, std::string const& output) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  auto const child = fork();
  if (child != 0) return child;
  if (!std::freopen(output.c_str(), "w", stderr)) _exit(126);
  execv(pointers[0], pointers.data());
  _exit(127);
}

int status_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// "PhoneAlerting", "PhoneRelease3", "Call_Release:id"
std::string short_name(json::object const& event, std::string const& call_id) {
  std::string name(event.at("eventType").as_string());
  for (std::string_view prefix : {"AgentOther_", "AgentState_", "AgentEvent_", "AgentMediaEvent_"})
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  auto const& content = event.at("content");
  if (content.is_string() && content.as_string() == call_id) return name + ":id";
  if (!content.is_object()) return name;
  auto const& object = content.as_object();
  if (auto state = object.if_contains("phoneState")) return name + json::serialize(*state);
  if (auto feature = object.if_contains("feature")) name += json::serialize(*feature);
  if (auto id = object.if_contains("callid"))
    return name + (*id == json::value(call_id) ? ":id" : ":?");
  if (auto id = object.if_contains("callId"))
    return name + (*id == json::value(call_id) ? ":Id" : ":?");
  return name;
}

}  // namespace

void rest(long ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::string temporary_folder() {
  char name[] = "/tmp/gateway-test-XXXXXX";
  if (!mkdtemp(name)) throw std::runtime_error("no temporary folder");
  return name;
}

void make_certificate(std::string const& folder) {
  auto const command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=gateway-test -addext subjectAltName=IP:127.0.0.1 -keyout " +
      folder + "/key.pem -out " + folder + "/cert.pem 2>/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl made no certificate");
}

int run_program(std::vector<std::string> const& options, std::string& errors) {
  auto const folder = temporary_folder();
  std::vector<std::string> words{program()};
  words.insert(words.end(), options.begin(), options.end());
  auto const status = status_of(spawn(words, folder + "/errors"));
  std::ostringstream text;
  text << std::ifstream(folder + "/errors").rdbuf();
  errors = text.str();
  std::filesystem::remove_all(folder);
  return status;
}

std::string Answer::text(char const* member) const {
  auto const object = json.if_object();
  auto const value = object ? object->if_contains(member) : nullptr;
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

std::string Answer::retcode() const {
  return text("retcode");
}

Client::Client(std::string base, std::string ca_file)
    : base_(std::move(base)), ca_file_(std::move(ca_file)), handle_(curl_easy_init()) {}

Client::~Client() {
  curl_easy_cleanup(handle_);
}

Answer Client::request(std::string const& method, std::string const& path,
                       std::string const& body) {
  Answer answer;
  curl_slist* list = nullptr;
  for (auto const& header : headers) list = curl_slist_append(list, header.c_str());
  list = curl_slist_append(list, "Expect:");
  auto const set = [this](CURLoption option, auto value) {
    curl_easy_setopt(handle_, option, value);
  };
  set(CURLOPT_URL, (base_ + path).c_str());
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
  set(CURLOPT_HTTPHEADER, list);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FRESH_CONNECT, fresh_connections ? 1L : 0L);
  set(CURLOPT_TIMEOUT_MS, timeout_ms);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer.body));
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&answer.headers));
  if (keep_cookies)
    set(CURLOPT_COOKIEFILE, "");
  else
    set(CURLOPT_COOKIELIST, "ALL");
  if (!ca_file_.empty()) set(CURLOPT_CAINFO, ca_file_.c_str());
  if (body.empty()) {
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  } else {
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_COPYPOSTFIELDS, body.c_str());
  }
  auto const begin = std::chrono::steady_clock::now();
  auto const result = curl_easy_perform(handle_);
  auto const took = std::chrono::steady_clock::now() - begin;
  answer.ms =
      static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  curl_slist_free_all(list);
  answer.timed_out = result == CURLE_OPERATION_TIMEDOUT;
  if (result == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
  }
  boost::system::error_code error;
  answer.json = json::parse(answer.body, error);
  if (error) answer.json = nullptr;
  return answer;
}

Seat::Seat(std::string const& url, int number, std::string const& ca_file)
    : agent(number), client(url + "/agentgateway/resource/", ca_file) {}

Answer Seat::send(std::string const& method, std::string const& path, std::string const& body) {
  client.headers = {"Content-Type: application/json; charset=UTF-8"};
  if (body.empty()) client.headers.clear();
  if (!guid.empty()) client.headers.push_back("Guid: " + guid);
  auto answer = client.request(method, path, body);
  if (auto renewed = answer.headers.find("set-guid"); renewed != answer.headers.end())
    guid = renewed->second.substr(std::string("JSESSIONID=").size());
  return answer;
}

Answer Seat::sign_in(json::object changed, bool forced) {
  json::object body{{"password", "agent-secret"},
                    {"phonenum", std::to_string(40000 + agent)},
                    {"status", "4"},
                    {"releasephone", "false"},
                    {"agenttype", "4"}};
  for (auto const& one : changed) body[one.key()] = one.value();
  return send("PUT", "onlineagent/" + std::to_string(agent) + (forced ? "/forcelogin" : ""),
              json::serialize(body));
}

Answer Seat::reset_skills() {
  return send("POST", "onlineagent/" + std::to_string(agent) + "/resetskill/true?phonelinkage=0");
}

Answer Seat::sign_out() {
  return send("DELETE", "onlineagent/" + std::to_string(agent) + "/logout");
}

Answer Seat::poll() {
  return send("GET", "agentevent/" + std::to_string(agent));
}

Answer Seat::call_out(std::string const& called, json::object more) {
  more["called"] = called;
  auto answer =
      send("PUT", "voicecall/" + std::to_string(agent) + "/callout", json::serialize(more));
  call_id = answer.text("result");
  return answer;
}

Answer Seat::release() {
  return send("DELETE", "voicecall/" + std::to_string(agent) + "/release");
}

Answer Seat::drop(std::string const& id) {
  return send("POST", "voicecall/" + std::to_string(agent) + "/dropcall/" + id);
}

Answer Seat::query(std::string const& id) {
  return send("GET", "calldata/" + std::to_string(agent) + "/callinfobycallid/" + id);
}

std::string Seat::story(std::string const& until) {
  std::string told;
  for (;;) {
    auto const answer = poll();
    if (answer.retcode() != "0") return told + " !" + answer.retcode();
    auto const event = answer.json.as_object().if_contains("event");
    if (!event || event->is_null()) return told;
    auto const name = short_name(
        event->is_array() ? event->as_array().at(0).as_object() : event->as_object(), call_id);
    told += (told.empty() ? "" : " ") + name;
    if (name.substr(0, name.find(':')) == until) return told;
  }
}

Simulator::Simulator(std::vector<std::string> options) : folder_(temporary_folder()) {
  std::vector<std::string> words{program(), "--port-file", folder_ + "/ports", "--journal",
                                 folder_ + "/journal"};
  for (auto& option : options) {
    tls_ = tls_ || option == "--tls-cert";
    words.push_back(std::move(option));
  }
  child_ = spawn(words, folder_ + "/errors");
  for (int tries = 0; control_port_ == 0 && tries < 500; ++tries) {
    std::ifstream(folder_ + "/ports") >> port_ >> control_port_;
    if (control_port_ == 0) rest(10);
  }
  if (control_port_ == 0) throw std::runtime_error("the simulator wrote no ports");
}

Simulator::~Simulator() {
  BOOST_CHECK_EQUAL(end(), 0);  // it must not have died meanwhile either
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int Simulator::end() {
  if (child_ == 0) return 0;
  kill(child_, SIGTERM);
  return status_of(std::exchange(child_, 0));
}

std::string Simulator::url() const {
  return (tls_ ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_);
}

Answer Simulator::control(std::string const& method, std::string const& path,
                          std::string const& body) {
  Client client("http://127.0.0.1:" + std::to_string(control_port_) + "/_control/");
  return client.request(method, path, body);
}

std::int64_t Simulator::health(char const* member) {
  return control("GET", "health").json.as_object().at(member).to_number<std::int64_t>();
}

std::vector<json::object> Simulator::journal(std::string const& event) {
  std::vector<json::object> found;
  auto const page = control("GET", "journal?limit=100000");
  for (auto const& line : page.json.as_object().at("lines").as_array())
    if (line.as_object().at("event").as_string() == event) found.push_back(line.as_object());
  return found;
}

std::vector<json::object> Simulator::await(std::string const& event, std::size_t count) {
  for (int tries = 0;; ++tries) {
    auto found = journal(event);
    if (found.size() >= count || tries == 500) return found;
    rest(10);
  }
}

std::string Simulator::violations() {
  std::set<std::string> all;
  for (auto const& line : journal("violation")) all.emplace(line.at("what").as_string());
  std::string text;
  for (auto const& one : all) text += (text.empty() ? "" : " ") + one;
  return text;
}

int Simulator::violations_of(std::string const& what) {
  int count = 0;
  for (auto const& line : journal("violation")) count += line.at("what") == json::value(what);
  return count;
}

}  // namespace rig
