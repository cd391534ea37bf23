// plain-poller: the peer of scripts/bench poll. Signs in agents at Huawei's agent gateway and polls
// each without end, as anybody would with libcurl and epoll, and throws away what it is told:
// nothing is stored, nobody else may own an agent, nothing is configured while it runs. Shares no
// code with ccd.
//
//   plain-poller url=https://HOST:PORT/agentgateway/resource agents=FROM-TO password=TEXT
//                [sign-ins=N a second, 500] [ca=FILE] [agents-a-multi=N, 64]
//
// On SIGUSR1 and at its end (SIGTERM) it prints a line of JSON: what was done so far, and the CPU
// seconds that it took.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// The vendor's: so long between a poll's answer and the next poll.
constexpr int pause_least_ms = 200, pause_most_ms = 500;
constexpr long answer_timeout_ms = 20'000;

struct Settings {
  std::string url, password, ca_file;
  long from = 0, to = -1;
  long sign_ins = 500;       // a second
  long agents_a_multi = 64;  // curl looks for an idle connection among all that a multi handle has
};

enum class Step { sign_in, force, skills, poll };

struct Agent {
  long id = 0;
  std::size_t multi = 0;  // which of them
  CURL* easy = nullptr;   // kept, as its connection is
  curl_slist* headers = nullptr;
  Step step = Step::sign_in;
  std::string guid, cookie;
  bool renewed = true;            // the headers are not those of the session any more
  std::array<char, 1024> body{};  // the first part of an answer
  std::size_t body_size = 0;
};

/// Sets all options alike; wrong ones end the program.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

/// What follows `name` in `text`, up to `end`.
std::string_view after(std::string_view text, std::string_view name, char end) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find(end));
}

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() && ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self) {
  Agent& agent = *static_cast<Agent*>(self);
  const std::string_view line(data, size * count);
  if (is_header(line, "Set-GUID:")) {
    agent.guid = after(line, "JSESSIONID=", '\r');
    agent.renewed = true;
  } else if (is_header(line, "Set-Cookie:")) {
    agent.cookie = "JSESSIONID=";
    agent.cookie += after(after(line, "JSESSIONID=", '\r'), "", ';');
    agent.renewed = true;
  }
  return line.size();
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) {
  Agent& agent = *static_cast<Agent*>(self);
  const std::size_t bytes = size * count;
  const std::size_t kept = std::min(bytes, agent.body.size() - agent.body_size);
  std::memcpy(agent.body.data() + agent.body_size, data, kept);
  agent.body_size += kept;
  return bytes;
}

class Poller {
 public:
  explicit Poller(Settings settings);
  void run();

 private:
  struct Multi {
    CURLM* handle = nullptr;
    Poller* poller = nullptr;
    std::size_t index = 0;
    Clock::time_point due = Clock::time_point::max();  // when curl wants to be asked
  };

  static int on_socket(CURL*, curl_socket_t number, int what, void* self, void* known);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  void watch_signals();
  void make_multis(std::size_t count);
  void make_agent(long id);
  void set_due(Multi& multi, Clock::time_point due);
  int next_ms() const;
  void run_due();
  bool signalled();
  void act(Multi& multi, curl_socket_t number, int bits);
  void begin(Agent& agent);
  void make_headers(Agent& agent);
  void end(Agent& agent, CURLcode code);
  void judge_sign_in(Agent& agent, std::string_view retcode);
  void later(Agent& agent, milliseconds pause);
  void tell() const;

  const Settings settings_;
  int epoll_ = -1, signals_ = -1;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<std::unique_ptr<Multi>> multis_;
  std::vector<Multi*> of_socket_;
  using Due = std::pair<Clock::time_point, std::size_t>;
  std::set<Due> multis_due_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> agents_due_;
  std::minstd_rand random_{std::random_device{}()};
  long online_ = 0, polls_ = 0, events_ = 0, troubles_ = 0, lost_ = 0;
};

Poller::Poller(Settings settings) : settings_(std::move(settings)) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) throw std::runtime_error("epoll cannot be used");
  watch_signals();
  const auto count = static_cast<std::size_t>(settings_.to - settings_.from + 1);
  make_multis(count);
  for (long id = settings_.from; id <= settings_.to; ++id) make_agent(id);
}

void Poller::watch_signals() {
  sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = signals_;
  if (signals_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, signals_, &event) != 0) {
    throw std::runtime_error("signals cannot be watched");
  }
}

void Poller::make_multis(std::size_t count) {
  const auto share = static_cast<std::size_t>(settings_.agents_a_multi);
  for (std::size_t i = 0; i * share < count; ++i) {
    auto multi = std::make_unique<Multi>();
    multi->handle = curl_multi_init();
    multi->poller = this;
    multi->index = i;
    if (multi->handle == nullptr) throw std::runtime_error("curl cannot be used");
    curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, &Poller::on_socket);
    curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, static_cast<void*>(multi.get()));
    curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, &Poller::on_timer);
    curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, static_cast<void*>(multi.get()));
    curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, 2 * settings_.agents_a_multi);
    multis_.push_back(std::move(multi));
  }
}

void Poller::make_agent(long id) {
  auto agent = std::make_unique<Agent>();
  agent->id = id;
  agent->multi = agents_.size() / static_cast<std::size_t>(settings_.agents_a_multi);
  agent->easy = curl_easy_init();
  if (agent->easy == nullptr) throw std::runtime_error("out of memory");
  const auto self = static_cast<void*>(agent.get());
  set(agent->easy, CURLOPT_PRIVATE, self);
  set(agent->easy, CURLOPT_NOSIGNAL, 1L);
  set(agent->easy, CURLOPT_PROXY, "");
  set(agent->easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(agent->easy, CURLOPT_TIMEOUT_MS, answer_timeout_ms);
  set(agent->easy, CURLOPT_BUFFERSIZE, 2048L);
  set(agent->easy, CURLOPT_HEADERFUNCTION, &take_header);
  set(agent->easy, CURLOPT_HEADERDATA, self);
  set(agent->easy, CURLOPT_WRITEFUNCTION, &take_body);
  set(agent->easy, CURLOPT_WRITEDATA, self);
  if (!settings_.ca_file.empty()) set(agent->easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
  const auto place = static_cast<long>(agents_.size());
  agents_due_.emplace(
      Clock::now() + std::chrono::microseconds(1'000'000 * place / settings_.sign_ins),
      agents_.size());
  agents_.push_back(std::move(agent));
}

int Poller::on_socket(CURL*, curl_socket_t number, int what, void* self, void* known) {
  Multi& multi = *static_cast<Multi*>(self);
  Poller& poller = *multi.poller;
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(poller.epoll_, EPOLL_CTL_DEL, number, nullptr);
    return 0;
  }
  const auto place = static_cast<std::size_t>(number);
  if (poller.of_socket_.size() <= place) poller.of_socket_.resize(place + 1);
  poller.of_socket_[place] = &multi;
  epoll_event event{};
  event.data.fd = number;
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  const int operation = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  curl_multi_assign(multi.handle, number, &multi);
  return ::epoll_ctl(poller.epoll_, operation, number, &event) == 0 ? 0 : -1;
}

int Poller::on_timer(CURLM*, long timeout_ms, void* self) {
  Multi& multi = *static_cast<Multi*>(self);
  multi.poller->set_due(
      multi, timeout_ms < 0 ? Clock::time_point::max() : Clock::now() + milliseconds(timeout_ms));
  return 0;
}

void Poller::set_due(Multi& multi, Clock::time_point due) {
  if (multi.due == due) return;
  if (multi.due != Clock::time_point::max()) multis_due_.erase({multi.due, multi.index});
  multi.due = due;
  if (due != Clock::time_point::max()) multis_due_.emplace(due, multi.index);
}

int Poller::next_ms() const {
  auto due = Clock::time_point::max();
  if (!agents_due_.empty()) due = agents_due_.top().first;
  if (!multis_due_.empty()) due = std::min(due, multis_due_.begin()->first);
  if (due == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(due - Clock::now()).count();
  return static_cast<int>(std::max<milliseconds::rep>(left, 0));
}

void Poller::run_due() {
  const auto now = Clock::now();
  while (!agents_due_.empty() && agents_due_.top().first <= now) {
    Agent& agent = *agents_[agents_due_.top().second];
    agents_due_.pop();
    begin(agent);
  }
  // Those only that are due by now: curl may want to be asked again at once.
  std::vector<std::size_t> due;
  for (const auto& [time, index] : multis_due_) {
    if (time > now) break;
    due.push_back(index);
  }
  for (const std::size_t index : due) {
    Multi& multi = *multis_[index];
    set_due(multi, Clock::time_point::max());
    act(multi, CURL_SOCKET_TIMEOUT, 0);
  }
}

/// True: the end.
bool Poller::signalled() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    tell();
    if (info.ssi_signo != SIGUSR1) return true;
  }
  return false;
}

void Poller::run() {
  std::array<epoll_event, 256> events{};
  for (;;) {
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), next_ms());
    if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_wait failed");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int number = event.data.fd;
      if (number == signals_) {
        if (signalled()) return;
        continue;
      }
      int bits = 0;
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) bits |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) bits |= CURL_CSELECT_OUT;
      act(*of_socket_[static_cast<std::size_t>(number)], number, bits);
    }
    run_due();
  }
}

void Poller::act(Multi& multi, curl_socket_t number, int bits) {
  int running = 0, left = 0;
  curl_multi_socket_action(multi.handle, number, bits, &running);
  while (const CURLMsg* message = curl_multi_info_read(multi.handle, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* agent = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &agent);
    curl_multi_remove_handle(multi.handle, easy);
    end(*reinterpret_cast<Agent*>(agent), code);
  }
}

void Poller::make_headers(Agent& agent) {
  curl_slist_free_all(agent.headers);
  agent.headers = nullptr;
  const auto add = [&](const std::string& line) {
    agent.headers = curl_slist_append(agent.headers, line.c_str());
  };
  add("Accept: application/json");
  add("Expect:");
  const bool has_body = agent.step == Step::sign_in || agent.step == Step::force;
  add(has_body ? "Content-Type: application/json; charset=UTF-8" : "Content-Type:");
  if (!has_body) {
    add("Guid: " + agent.guid);
    add("Cookie: " + agent.cookie);
  }
  set(agent.easy, CURLOPT_HTTPHEADER, agent.headers);
}

void Poller::begin(Agent& agent) {
  if (agent.renewed) {  // since the last poll; always so before polls begin
    const std::string line = settings_.url + "/onlineagent/" + std::to_string(agent.id);
    std::string url = line, body, method = "PUT";
    if (agent.step == Step::poll) {
      set(agent.easy, CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
      set(agent.easy, CURLOPT_HTTPGET, 1L);
      url = settings_.url + "/agentevent/" + std::to_string(agent.id);
      agent.renewed = false;
    } else {
      if (agent.step == Step::force) url = line + "/forcelogin";
      if (agent.step == Step::skills) {
        url = line + "/resetskill/true?phonelinkage=0";
        method = "POST";
      } else {
        body = R"({"password":")" + settings_.password + R"(","phonenum":"139)" +
               std::to_string(70'000'000 + agent.id) +
               R"(","status":"4","releasephone":"false","agenttype":"4"})";
      }
      set(agent.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
      set(agent.easy, CURLOPT_COPYPOSTFIELDS, body.c_str());
      set(agent.easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    set(agent.easy, CURLOPT_URL, url.c_str());
    make_headers(agent);
  }
  agent.body_size = 0;
  curl_multi_add_handle(multis_[agent.multi]->handle, agent.easy);
}

void Poller::later(Agent& agent, milliseconds pause) {
  agents_due_.emplace(Clock::now() + pause, static_cast<std::size_t>(agent.id - settings_.from));
}

void Poller::judge_sign_in(Agent& agent, std::string_view retcode) {
  if (retcode == "100-002" && agent.step == Step::sign_in) {
    agent.step = Step::force;
  } else if (retcode != "0") {
    ++troubles_;
    later(agent, 1s);
    return;
  } else if (agent.step == Step::skills) {
    agent.step = Step::poll;
    ++online_;
  } else {
    agent.step = Step::skills;
  }
  later(agent, 0ms);
}

void Poller::end(Agent& agent, CURLcode code) {
  const std::string_view body(agent.body.data(), agent.body_size);
  const std::string_view retcode = code == CURLE_OK ? after(body, R"("retcode":")", '"') : "";
  if (agent.step != Step::poll) {
    judge_sign_in(agent, retcode);
    return;
  }
  ++polls_;
  if (retcode == "0") {
    if (body.find(R"("eventType")") != std::string_view::npos) ++events_;
    later(agent,
          milliseconds(std::uniform_int_distribution<>(pause_least_ms, pause_most_ms)(random_)));
  } else if (retcode == "000-003" || retcode == "100-006") {
    ++lost_;
    --online_;
    agent.step = Step::sign_in;
    agent.renewed = true;
    later(agent, 1s);
  } else {
    ++troubles_;
    later(agent, 1s);
  }
}

void Poller::tell() const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::printf(
      "{\"online\":%ld,\"polls\":%ld,\"events\":%ld,\"troubles\":%ld,\"lost\":%ld,"
      "\"cpu_s\":%.6f}\n",
      online_, polls_, events_, troubles_, lost_,
      seconds(usage.ru_utime) + seconds(usage.ru_stime));
  (void)std::fflush(stdout);
}

Settings settings_of(int count, char** words) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error(word + " is not NAME=VALUE");
    given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  Settings settings;
  settings.url = given.at("url");
  settings.password = given.at("password");
  settings.ca_file = given["ca"];
  const std::string range = given.at("agents");
  settings.from = std::stol(range);
  settings.to = std::stol(range.substr(range.find('-') + 1));
  if (given.contains("sign-ins")) settings.sign_ins = std::stol(given["sign-ins"]);
  if (given.contains("agents-a-multi"))
    settings.agents_a_multi = std::stol(given["agents-a-multi"]);
  if (settings.to < settings.from || settings.sign_ins < 1 || settings.agents_a_multi < 1) {
    throw std::runtime_error("agents, sign-ins and agents-a-multi must be positive");
  }
  return settings;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** words) {
  try {
    raise_descriptor_limit();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Poller poller(settings_of(count, words));
    poller.run();
    return 0;
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "plain-poller: %s\n", error.what());
    return 1;
  }
}
