#include "runtime/tools/aside.hpp"

#include <utility>

#include "runtime/tools/thread.hpp"

namespace migc::runtime {

Aside::~Aside() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    news_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::future<void> Aside::begin(std::function<void()> work) {
    std::future<void> done;
    {
        const std::lock_guard lock(mutex_);
        work_ = std::packaged_task<void()>(std::move(work));
        done = work_.get_future();
    }
    news_.notify_all();
    if (!thread_.joinable()) thread_ = thread_without_signals([this] { work_off(); });
    return done;
}

void Aside::work_off() {
    std::unique_lock lock(mutex_);
    while (true) {
        news_.wait(lock, [this] { return ended_ || work_.valid(); });
        if (!work_.valid()) return;
        std::packaged_task<void()> work = std::move(work_);
        work_ = {};
        lock.unlock();
        work();
        lock.lock();
    }
}

}  // namespace migc::runtime
