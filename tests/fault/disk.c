/* Preloaded into migc: the n-th call on the journal's files fails, once or from then on, or writes only a part.
   DISK_FAULT=CALL:N:ERROR[:on]   CALL: pwrite, sync, truncate, open; ERROR: a number of errno, or 0 for a short write
   DISK_IMAGE=FOLDER   holds what a loss of power leaves of the journal: each file as it was when it was last synced
   POWER_LOST=N   the power is lost at the n-th sync, before it does anything
   DISK_LOG=FILE   gets one line for each such call, and "fault" with the number of lines of the ledger where it strikes */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int seen;

/* SQLite is led to the journal's folder by a descriptor: /proc/self/fd/7/journal.db */
static int is_journal(const char* path) {
    char folder[4096] = "", link[64] = "";
    const char* name = strrchr(path, '/');
    if (!name || strncmp(name, "/journal.db", 11) != 0 || strstr(name, "-shm")) return 0;
    if (strncmp(path, "/proc/self/fd/", 14) != 0) return strstr(path, "/.migc/journal.db") != NULL;
    snprintf(link, sizeof link, "%.*s", (int)(name - path), path);
    const ssize_t got = readlink(link, folder, sizeof folder - 1);
    return got > 6 && strcmp(folder + got - 6, "/.migc") == 0;
}

static int is_journal_fd(int fd, char* path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t got = readlink(link, path, size - 1);
    if (got <= 0) return 0;
    path[got] = 0;
    return is_journal(path);
}

static int ledger_lines(void) {
    FILE* ledger = fopen("ledger", "r");
    int lines = 0;
    for (int c; ledger && (c = fgetc(ledger)) != EOF;) lines += c == '\n';
    if (ledger) fclose(ledger);
    return lines;
}

/* -1: not this time; else the errno to fail with, 0 for a short write. */
static int fault(const char* call, const char* path) {
    const char* log = getenv("DISK_LOG");
    const char* wanted = getenv("DISK_FAULT");
    char name[32] = "";
    int n = 0, error = 0;
    if (wanted) sscanf(wanted, "%31[a-z]:%d:%d", name, &n, &error);
    const int strikes = wanted && strcmp(name, call) == 0 && (++seen == n || (seen > n && strstr(wanted, ":on")));
    FILE* out = log ? fopen(log, "a") : NULL;
    if (out) fprintf(out, strikes ? "fault %s %s %d\n" : "%s %s\n", call, strrchr(path, '/') + 1, ledger_lines());
    if (out) fclose(out);
    return strikes ? error : -1;
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
    static ssize_t (*real)(int, const void*, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    char path[4096];
    const int error = is_journal_fd(fd, path, sizeof path) ? fault("pwrite", path) : -1;
    if (error < 0) return real(fd, data, size, at);
    if (error == 0) return real(fd, data, size > 1 ? size / 2 : size, at);
    errno = error;
    return -1;
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

/* Whole files, as a disk that is told to sync has them. */
static void keep_image(int fd, const char* path) {
    const char* folder = getenv("DISK_IMAGE");
    if (!folder) return;
    char image[4200], buffer[65536];
    snprintf(image, sizeof image, "%s/%s", folder, strrchr(path, '/') + 1);
    const int out = open(image, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    off_t at = 0;
    for (ssize_t got; (got = pread(fd, buffer, sizeof buffer, at)) > 0; at += got)
        if (write(out, buffer, got) != got) abort();
    close(out);
}

int unlink(const char* path) {
    static int (*real)(const char*);
    if (!real) real = dlsym(RTLD_NEXT, "unlink");
    char image[4200];
    const char* folder = getenv("DISK_IMAGE");
    if (folder && is_journal(path)) {
        snprintf(image, sizeof image, "%s/%s", folder, strrchr(path, '/') + 1);
        real(image);
    }
    return real(path);
}

static void lose_power(void) {
    static int syncs;
    const char* lost = getenv("POWER_LOST");
    if (lost && ++syncs == atoi(lost)) kill(getpid(), SIGKILL);
}

static int sync_with(const char* symbol, int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, symbol);
    char path[4096];
    if (!is_journal_fd(fd, path, sizeof path)) return real(fd);
    lose_power();
    const int error = fault("sync", path);
    if (error <= 0) {
        const int synced = real(fd);
        keep_image(fd, path);
        return synced;
    }
    errno = error;
    return -1;
}
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
int fsync(int fd) { return sync_with("fsync", fd); }

int ftruncate64(int fd, off64_t size) {
    static int (*real)(int, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "ftruncate64");
    char path[4096];
    const int error = is_journal_fd(fd, path, sizeof path) ? fault("truncate", path) : -1;
    if (error <= 0) return real(fd, size);
    errno = error;
    return -1;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int open64(const char* path, int flags, ...) {
    static int (*real)(const char*, int, mode_t);
    if (!real) real = dlsym(RTLD_NEXT, "open64");
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const int error = is_journal(path) ? fault("open", path) : -1;
    if (error <= 0) return real(path, flags, mode);
    errno = error;
    return -1;
}
