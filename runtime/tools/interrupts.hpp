// The operator's wish to stop: SIGINT, SIGTERM, SIGHUP, for the whole process.
#pragma once

namespace migc::runtime::inline tools {

// From then on SIGINT, SIGTERM and SIGHUP are counted and end nothing by themselves. A SIGHUP that
// was ignored when the process started (nohup) stays ignored; the others are heard also where a shell has
// started the process in the background, with SIGINT ignored. SIGTERM and SIGHUP count once at
// once, and once more after 15 s, because whoever sends them (a CI system, a shutdown) sends SIGKILL next. A
// second SIGHUP does not count: a closed terminal may send it twice. SIGPIPE is ignored: that nobody reads
// what is told is no reason to stop in the middle of a step. To be called once, from the main thread.
void install_interrupt_handlers();

// How often the operator has asked to stop so far.
int interrupts();

// For poll(): readable when an interrupt has arrived since `clear_interrupt_descriptor()`. One per thread, so
// that every thread that waits is woken. -1, which poll() passes over, if no handlers are installed.
int interrupt_descriptor();
void clear_interrupt_descriptor();

// Tells each interrupt once: to all that are waiting when it arrives, or else to the next one that waits.
class InterruptNotice {
  public:
    InterruptNotice();
    // Whether an interrupt arrived that nobody had been told of when this notice was made.
    [[nodiscard]] bool arrived() const;

  private:
    int told_before_;
};

}  // namespace migc::runtime::inline tools
