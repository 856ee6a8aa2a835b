#include "runtime/trial/process_pool.hpp"

#include <array>
#include <cerrno>
#include <deque>
#include <string_view>
#include <thread>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"

namespace migc::trial {
namespace {

struct Worker {
    pid_t process = -1;
    int answers = -1;
};

tl::expected<Worker, std::string> begin(const Work& work, std::size_t place) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return tl::unexpected(std::string("no pipe can be made"));
    const pid_t process = ::fork();
    if (process == 0) {
        ::close(ends[0]);
        const bool told = write_all(ends[1], work(place));
        ::_exit(told ? 0 : 1);
    }
    ::close(ends[1]);
    if (process > 0) return Worker{process, ends[0]};
    ::close(ends[0]);
    return tl::unexpected(std::string("no process can be made"));
}

// Whole only if the process also ended well.
tl::expected<std::string, std::string> answer_of(const Worker& worker) {
    std::string text;
    std::array<char, 65536> part{};
    for (;;) {
        const ssize_t count = ::read(worker.answers, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    ::close(worker.answers);
    int status = 0;
    while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
    return tl::unexpected(std::string("a process that did a part of it ended before its time"));
}

}  // namespace

// The oldest may take long, and is waited for: meanwhile there is work for every processor.
std::size_t pool_size() {
    return std::thread::hardware_concurrency() + 1;
}

tl::expected<void, std::string> execute(const std::vector<Work>& works,
                                        const std::function<void(const std::string&)>& take) {
    std::deque<Worker> workers;
    std::string problem;
    const auto finish_one = [&] {
        const auto answer = answer_of(workers.front());
        workers.pop_front();
        if (!answer && problem.empty()) problem = answer.error();
        if (answer && problem.empty()) take(*answer);
    };
    for (std::size_t i = 0; i < works.size(); ++i) {
        if (workers.size() >= pool_size()) finish_one();
        if (!problem.empty()) break;
        if (auto worker = begin(works[i], i % pool_size()))
            workers.push_back(*worker);
        else
            problem = worker.error();
    }
    while (!workers.empty()) finish_one();
    if (!problem.empty()) return tl::unexpected(problem);
    return {};
}

}  // namespace migc::trial
