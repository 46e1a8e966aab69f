/* signals.c - SIGINT, SIGTERM and SIGHUP as events of a poll. */
#include "cli/signals.h"

#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SAME_WISH_SECONDS 0.1

static sigset_t taken_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

bool signals_open(signals *s) {
  *s = (signals){.signal_fd = -1, .bell_fd = -1};
  sigset_t set = taken_signals();
  if ((errno = pthread_sigmask(SIG_BLOCK, &set, NULL))) return false;
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return false;
  s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  s->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return s->signal_fd >= 0 && s->bell_fd >= 0;
}

void signals_close(signals *s) {
  if (s->signal_fd >= 0) close(s->signal_fd);
  if (s->bell_fd >= 0) close(s->bell_fd);
  s->signal_fd = s->bell_fd = -1;
}

void signals_restore(void) {
  sigset_t set = taken_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static signals_event take_signal(signals *s) {
  struct signalfd_siginfo info;
  if (read(s->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) return SIGNALS_NONE;
  if (info.ssi_signo == SIGHUP) return SIGNALS_REOPEN;
  if (s->n_ends == 0) {
    s->n_ends = 1;
    s->first_end = cli_now();
    return SIGNALS_END;
  }
  if (cli_now() - s->first_end < SAME_WISH_SECONDS) return SIGNALS_NONE;
  static const char said[] = "\nheadworks: ended at once by a second signal\n";
  (void)!write(STDERR_FILENO, said, sizeof said - 1);
  _exit(CLI_INTERRUPTED);
}

signals_event signals_wait(signals *s, uint64_t timeout_us) {
  struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->bell_fd, .events = POLLIN}};
  struct timespec timeout = {(time_t)(timeout_us / 1000000), (long)(timeout_us % 1000000 * 1000)};
  if (ppoll(fds, 2, &timeout, NULL) <= 0) return SIGNALS_NONE;
  uint64_t rings;
  if (fds[1].revents && read(s->bell_fd, &rings, sizeof rings) < 0) return SIGNALS_NONE;
  return fds[0].revents ? take_signal(s) : SIGNALS_NONE;
}

void signals_ring(signals *s) {
  uint64_t one = 1;
  while (write(s->bell_fd, &one, sizeof one) < 0 && errno == EINTR) continue; /* EAGAIN: it rings already */
}
