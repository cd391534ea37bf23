#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "door.hpp"
#include "options.hpp"
#include "server.hpp"
#include "world.hpp"

namespace {

using gateway::Options;

// A connection for each of 20,000 agents needs more than the usual 1024 descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void write_ports(std::string const& name, unsigned int port, unsigned int control_port) {
  auto const draft = name + ".new";
  std::ofstream file(draft);
  file << port << '\n' << control_port << '\n';
  file.close();
  if (!file || std::rename(draft.c_str(), name.c_str()) != 0)
    throw std::runtime_error("--port-file " + name +
                             ": can't be written; name a file in a writable directory");
}

int play(Options const& options) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  boost::asio::io_context loop(1);
  gateway::World world(loop.get_executor(), options);
  std::optional<boost::asio::ssl::context> tls;
  if (options.tls()) tls.emplace(gateway::tls_context(options));

  // A control API in plain words has no place on a TLS port.
  world.door = std::make_unique<gateway::Door>(
      world, options.listen, gateway::Audience{true, !options.tls()}, tls ? &*tls : nullptr);
  auto const url = gateway::url_of(world.door->endpoint(), options.tls());
  std::shared_ptr<boost::asio::ip::tcp::acceptor> control;
  if (options.control || options.tls())
    control = std::make_shared<boost::asio::ip::tcp::acceptor>(
        gateway::listen(world, options.control.value_or(gateway::Endpoint{}), "--control"));

  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) loop.stop();
  });
  world.journal.write(gateway::Journal::About::always, "started",
                      {{"listening", url}, {"speed", options.speed}});
  auto const port = world.door->endpoint().port();
  if (!options.port_file.empty())
    write_ports(options.port_file, port, control ? control->local_endpoint().port() : port);
  std::cout << "listening on " << url << std::endl;
  if (control)
    std::cout << "control on " << gateway::url_of(control->local_endpoint(), false) << std::endl;

  gateway::run(loop.get_executor(), world.sweep());
  if (control)
    gateway::run(loop.get_executor(),
                 gateway::serve(world, control, gateway::Audience{false, true}, nullptr));
  loop.run();
  world.journal.write(gateway::Journal::About::always, "stopped");
  return 0;
}

}  // namespace

int main(int count, char** words) try {
  auto const options = gateway::parse_options(count, words);
  if (!options.help) return play(options);
  std::cout << gateway::usage();
  return 0;
} catch (std::exception const& error) {
  std::cerr << "agent-gateway-simulator: " << error.what() << '\n';
  return 1;
}
