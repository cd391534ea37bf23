#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "door.hpp"
#include "options.hpp"
#include "server.hpp"
#include "world.hpp"

namespace {

void write_port_file(std::string const& name, std::string const& ports) {
  auto const draft = name + ".new";
  {
    std::ofstream file(draft, std::ios::trunc);
    file << ports;
    file.flush();
    if (!file)
      throw std::runtime_error("--port-file " + name + ": " + draft +
                               " can't be written; name a file in a writable directory");
  }
  if (std::rename(draft.c_str(), name.c_str()) != 0)
    throw std::runtime_error("--port-file " + name + ": " + draft +
                             " can't be renamed to it; is it a directory?");
}

int play(jiuyun::Options const& options) {
  std::signal(SIGPIPE, SIG_IGN);
  boost::asio::io_context loop(1);
  jiuyun::World world(
      loop.get_executor(),
      options);  // goes before the loop: coroutines' frames never touch it when destroyed
  world.door = std::make_unique<jiuyun::Door>(world, options.listen);
  world.base_url = jiuyun::url_of(world.door->endpoint());
  world.record_base = options.record_base.empty() ? world.base_url : options.record_base;
  auto ports = std::to_string(world.door->endpoint().port()) + "\n";
  std::string control_url;
  if (options.control) {
    auto control = std::make_shared<boost::asio::ip::tcp::acceptor>(
        jiuyun::listen(world, *options.control, "--control"));
    control_url = jiuyun::url_of(control->local_endpoint());
    ports += std::to_string(control->local_endpoint().port()) + "\n";
    jiuyun::run(world.executor, jiuyun::serve(world, control, nullptr));
  }
  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) loop.stop();
  });

  boost::json::object line;
  line["listening"] = world.base_url;
  line["speed"] = options.speed;
  line["clockSkewMs"] = options.clock_skew_ms;
  world.journal.write("started", std::move(line));
  if (!options.port_file.empty()) write_port_file(options.port_file, ports);
  std::cout << "listening on " << world.base_url << std::endl;
  if (!control_url.empty()) std::cout << "control on " << control_url << std::endl;
  loop.run();
  world.journal.write("stopped");
  return 0;
}

}  // namespace

int main(int count, char** words) try {
  auto options = jiuyun::parse_options(count, words);
  if (options.help) {
    std::cout << jiuyun::usage();
    return 0;
  }
  return play(options);
} catch (std::exception const& error) {
  std::cerr << "jiuyun-simulator: " << error.what() << '\n';
  return 1;
}
