#include "pending.hpp"

namespace cc {
namespace {

constexpr std::size_t block_size = 64;
// A rare large body must not keep its memory for ever.
constexpr std::size_t most_memory_kept = 4096;

}  // namespace

Pending& PendingPool::take() {
  if (ngx_queue_empty(&unused_)) {
    auto& block = blocks_.emplace_back(std::make_unique<Pending[]>(block_size));
    for (std::size_t i = 0; i < block_size; ++i) {
      ngx_queue_insert_tail(&unused_, &block[i].queue);
    }
  }
  ngx_queue_t* head = ngx_queue_head(&unused_);
  ngx_queue_remove(head);
  Pending& pending = *(ngx_queue_data(head, Pending, queue));
  pending.request = nullptr;
  pending.cleanup = nullptr;
  pending.trouble = Trouble::none;
  pending.stored = false;
  pending.replayed = false;
  pending.spool_failed = false;
  pending.command.clear();
  return pending;
}

void PendingPool::give_back(Pending& pending) noexcept {
  if (pending.command.capacity() > most_memory_kept) std::string().swap(pending.command);
  // The one used last is the one that the processor still has at hand.
  ngx_queue_insert_head(&unused_, &pending.queue);
}

void PendingList::push_back(Pending& pending) noexcept {
  ngx_queue_insert_tail(&head_, &pending.queue);
}

Pending& PendingList::pop_front() noexcept {
  Pending& pending = front();
  ngx_queue_remove(&pending.queue);
  return pending;
}

void PendingList::append(PendingList& other) noexcept {
  if (other.empty()) return;
  ngx_queue_add(&head_, &other.head_);
  ngx_queue_init(&other.head_);
}

}  // namespace cc
