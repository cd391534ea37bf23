#include "world.hpp"

namespace model {

void World::at(Ms when, std::function<void()> step) {
  queue_.push({std::max(when, now), ++last_number_, std::move(step)});
}

void World::run() {
  constexpr std::size_t most_steps = 400'000;
  for (;;) {
    // Sweeps are not stepped through idle hours: they run when they have something to do.
    OptMs due = fleet.due();
    if (due) due = std::max(*due, now) + draw.between(1, 250);
    if (queue_.empty() && !due) break;
    if (++steps > most_steps) throw Violation("the schedule does not come to rest");
    if (!queue_.empty() && (!due || queue_.top().when <= *due)) {
      const Step step = queue_.top();
      queue_.pop();
      now = step.when;
      step.run();
    } else {
      now = *due;
      fleet.sweep();
    }
    checks.step();
  }
  checks.at_rest();
}

}  // namespace model
