// pidfd_open() and pidfd_send_signal(). The header of glibc 2.36 forgets to say that they are C functions.
#pragma once

#include <csignal>

#include <fcntl.h>

extern "C" {
#include <sys/pidfd.h>
}
