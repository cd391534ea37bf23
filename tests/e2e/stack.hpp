// A private CC made by scripts/stack, and what its users and its simulator say of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client.hpp"
#include "process.hpp"

namespace cc::test {

class Stack {
 public:
  /// Up when this returns. `speed`: of the simulated phones.
  explicit Stack(const std::string& speed = "20", const std::vector<std::string>& options = {});
  ~Stack();
  Stack(const Stack&) = delete;

  const std::string& env(const std::string& name) const { return env_.at(name); }

  /// As the application with all scopes.
  Answer get(const std::string& path) const;
  Answer post(const std::string& path, const std::string& body = "",
              const std::vector<std::string>& headers = {}) const;
  /// Any method, with a JSON body unless that is empty.
  Answer ask(const std::string& method, const std::string& path,
             const std::string& body = "") const;
  Call post_later(const std::string& path, const std::string& body,
                  const std::vector<std::string>& headers = {}) const;

  /// Asks until the record's state is "close" (or `state`); throws with the last answer after
  /// `timeout`.
  json::value await_state(const std::string& call, const std::string& state = "close",
                          Millis timeout = Millis{30'000}) const;

  /// scripts/stack start|stop|restart|kill.
  void part(const std::string& verb, const std::string& name,
            const std::vector<std::string>& options = {});
  /// scripts/stack save|restore: a copy of postgres' or redis' data, and back in its place.
  void save(const std::string& name, const std::string& copy);
  void restore(const std::string& name, const std::string& copy);
  bool running(const std::string& name) const;  // by its pid file
  pid_t pid(const std::string& name) const;     // the same; 0 if there is none

  /// A further ccd of the same configuration but for its name; its API is on the socket
  /// <name>.sock, its log is <name>.log, both in `folder`.
  std::unique_ptr<Process> further_ccd(const std::string& name, const TempDir& folder) const;

  /// Changes `before` into `after` in ccd's configuration and sends SIGHUP.
  void reconfigure(const std::string& before, const std::string& after);

  /// The simulator's control API, which also answers while its vendor's port refuses connections.
  json::value simulator(const std::string& path) const;
  Answer simulator(const std::string& method, const std::string& path,
                   const std::string& body) const;
  /// Its journal lines of an event ("ring", "originate", …), by default of all calls.
  std::vector<json::object> journal(const std::string& event) const;
  long violations() const;

  /// The same of the second account's (channel e9b), where the stack was made with "--second".
  json::value second(const std::string& path) const;
  Answer second(const std::string& method, const std::string& path, const std::string& body) const;
  std::vector<json::object> second_journal(const std::string& event) const;

  /// Switches a simulator's faults: PUT _control/outage or _control/random of "simulator",
  /// "simulator2" or "gateway". In force when this returns; throws what the simulator says if it
  /// refuses. Their READMEs have the keys.
  json::value outage(const std::string& part, const std::string& keys) const;
  json::value random_faults(const std::string& part, const std::string& keys) const;
  void no_random_faults(const std::string& part) const;

  /// The agent gateway's control API, where the stack has one, and its journal lines of an event.
  json::value gateway(const std::string& path) const;
  Answer gateway(const std::string& method, const std::string& path, const std::string& body) const;
  std::vector<json::object> gateway_journal(const std::string& event) const;
  /// Makes agents of hw with the gateway's password, handsets 139….
  void make_agents(int first, int last) const;
  /// Waits until the agent's `actual` is that; throws with the last answer after `timeout`.
  json::value await_agent(const std::string& agent, const std::string& actual = "online",
                          Millis timeout = Millis{30'000}) const;

  /// One statement, by psql: unaligned, without titles.
  std::string sql(const std::string& statement) const;
  std::string redis(const std::vector<std::string>& words) const;

  /// Lines of NGINX's log that speak of [alert], [crit] or [emerg].
  std::string nginx_alarms() const;
  std::string log(const std::string& part) const;

 private:
  /// A request to the control API of a simulator that has one.
  Answer control(const std::string& part, const std::string& method, const std::string& path,
                 const std::string& body = "") const;

  TempDir folder_;
  std::string dir_;
  std::map<std::string, std::string> env_;
};

/// A process' children, such as NGINX's workers.
std::vector<pid_t> children_of(pid_t pid);

/// {"caller": …, "called": …} with further members spliced in.
std::string call_body(const std::string& caller, const std::string& called,
                      const std::string& more = "");

}  // namespace cc::test
