// Something small that is done beside what the caller does meanwhile, again and again: in one thread, which
// is begun when it is first needed.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace migc::runtime {

class Aside {
  public:
    Aside() = default;
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

    // Begins the work. By one thread at a time, and not before what was begun last is over. Its exception is
    // in the future.
    [[nodiscard]] std::future<void> begin(std::function<void()> work);

  private:
    void work_off();

    std::mutex mutex_;
    std::condition_variable news_;
    std::packaged_task<void()> work_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace migc::runtime
