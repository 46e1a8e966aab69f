/* api_load.c - many clients of a server's control endpoints, and how long they wait.
 *
 *     api_load PORT CLIENTS RATE SECONDS FOLLOWERS FOLLOWED[,FOLLOWED...] PATH...
 *
 * CLIENTS keep-alive connections ask for the paths in turn, RATE times a second
 * each, spread evenly; FOLLOWERS connections read without end what they follow,
 * in turn: a path, or "POST PATH". A client whose reply is late asks again at once,
 * and the time it is late counts: the wait is from the moment the request was due.
 * The first reply of each client is not counted. Prints one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct client {
  int fd;
  bool follows, waiting;
  bool warm;            /* has had a reply: before it, the server was busy accepting */
  double due;           /* of the request that is under way, or the next */
  unsigned n;           /* requests so far */
  char data[4096];      /* of a reply, until its head is whole */
  size_t len, body_left;
  bool in_body;
} client;

static struct sockaddr_in address = {.sin_family = AF_INET};
static char *const *paths;
static unsigned n_paths, n_clients;
static double interval;
static uint64_t replies, errors, followed_bytes;
static double *waits;
static size_t n_waits, waits_capacity;

static void die(const char *what) {
  fprintf(stderr, "api_load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const client *c, const char *path) {
  char text[1024];
  int n = snprintf(text, sizeof text, "%s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", *path == '/' ? "GET " : "", path,
                   ntohs(address.sin_port));
  if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n) die("send");
}

static void open_client(client *c, int epoll) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) die("epoll_ctl");
}

/* The next of a list, from the beginning after the last. */
static void follow_next(const client *c, const char *list, const char **at) {
  char path[512];
  if (!**at) *at = list;
  size_t len = strcspn(*at, ",");
  snprintf(path, sizeof path, "%.*s", (int)len, *at);
  *at += len + ((*at)[len] == ',');
  say(c, path);
}

/* ---- replies -------------------------------------------------------------- */

static void note_wait(double wait) {
  if (n_waits == waits_capacity) {
    waits_capacity = waits_capacity ? waits_capacity * 2 : 65536;
    waits = realloc(waits, waits_capacity * sizeof *waits);
    if (!waits) die("realloc");
  }
  waits[n_waits++] = wait;
}

static void finish_reply(client *c) {
  if (c->warm) note_wait(now() - c->due);
  c->warm = true;
  replies++;
  c->waiting = c->in_body = false;
  c->len = 0;
  c->due += interval;
}

/* The head has ended: how long is the body? */
static void read_head(client *c) {
  c->data[c->len] = '\0';
  char *end = strstr(c->data, "\r\n\r\n");
  if (!end) {
    if (c->len == sizeof c->data - 1) die("a head of more than 4 KiB");
    return;
  }
  const char *length = strcasestr(c->data, "\r\nContent-Length:");
  if (strncmp(c->data, "HTTP/1.1 200 ", 13) != 0) errors++;
  size_t body = length ? strtoul(length + 17, NULL, 10) : 0, have = c->len - (size_t)(end + 4 - c->data);
  c->body_left = body > have ? body - have : 0;
  c->in_body = true;
}

static void take(client *c) {
  static char scratch[1 << 16];
  for (;;) {
    char *to = c->in_body || c->follows ? scratch : c->data + c->len;
    size_t room = c->in_body || c->follows ? sizeof scratch : sizeof c->data - 1 - c->len;
    ssize_t n = recv(c->fd, to, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) die("the server has closed");
    if (c->follows) {
      followed_bytes += (uint64_t)n;
      continue;
    }
    if (c->in_body) c->body_left -= (size_t)n < c->body_left ? (size_t)n : c->body_left;
    else c->len += (size_t)n, read_head(c);
    if (c->in_body && c->body_left == 0) finish_reply(c);
  }
}

/* ---- asking --------------------------------------------------------------- */

/* How long until the next one is due, at most 10 ms. */
static double ask_due(client *clients, double at) {
  double next = at + 0.01;
  for (unsigned i = 0; i < n_clients; i++) {
    client *c = &clients[i];
    if (!c->waiting && c->due > at && c->due < next) next = c->due;
    if (c->waiting || c->due > at) continue;
    c->waiting = true;
    say(c, paths[c->n++ % n_paths]);
  }
  return next - at;
}

static void serve(client *clients, int epoll, double until) {
  struct epoll_event events[256];
  for (double at = now(); at < until; at = now()) {
    const struct timespec wait = {.tv_nsec = (long)(ask_due(clients, at) * 1e9)};
    int n = epoll_pwait2(epoll, events, 256, &wait, NULL);
    for (int i = 0; i < n; i++) take(events[i].data.ptr);
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double q) { return n_waits ? waits[(size_t)((double)(n_waits - 1) * q)] * 1e6 : 0; }

int main(int argc, char **argv) {
  if (argc < 8) {
    fprintf(stderr, "usage: api_load PORT CLIENTS RATE SECONDS FOLLOWERS FOLLOWED[,FOLLOWED...] PATH...\n");
    return 2;
  }
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(argv[1]));
  n_clients = (unsigned)atoi(argv[2]);
  interval = 1 / atof(argv[3]);
  double seconds = atof(argv[4]);
  unsigned n_followers = (unsigned)atoi(argv[5]);
  paths = argv + 7;
  n_paths = (unsigned)argc - 7;
  client *clients = calloc(n_clients + n_followers + 1, sizeof *clients);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!clients || epoll < 0) die("epoll_create1");
  const char *followed = argv[6];
  for (unsigned i = 0; i < n_clients + n_followers; i++) {
    clients[i].follows = i >= n_clients;
    open_client(&clients[i], epoll);
    if (clients[i].follows) follow_next(&clients[i], argv[6], &followed);
  }
  double start = now();
  for (unsigned i = 0; i < n_clients; i++) clients[i].n = i, clients[i].due = start + interval * i / n_clients;
  serve(clients, epoll, start + seconds);
  double took = now() - start;
  qsort(waits, n_waits, sizeof *waits, compare);
  printf("{\"clients\": %u, \"followers\": %u, \"replies\": %llu, \"errors\": %llu, \"per_second\": %.0f, "
         "\"p50_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, \"max_us\": %.0f, \"followed_bytes\": %llu}\n",
         n_clients, n_followers, (unsigned long long)replies, (unsigned long long)errors, (double)replies / took,
         quantile(0.5), quantile(0.99), quantile(0.999), quantile(1), (unsigned long long)followed_bytes);
  return 0;
}
