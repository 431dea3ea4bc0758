/*
 * A cable that delays every packet and loses some, between this network namespace and another: two TUN devices and a
 * queue between them. Stands in for netem, which not every kernel has.
 *
 *   impaired-link NETNS-FILE DELAY-MS LOSS-PERCENT SEED
 *
 * Makes `slow0` here and `slow1` there, says "ready", and goes on until its stdin ends. The delay and the loss are
 * those of one way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 8192, MOST = 2048 };

struct packet {
  int64_t due;
  int to;
  int length;
  unsigned char bytes[MOST];
};

static struct packet queue[PLACES];
static unsigned head, tail;
static uint64_t dice;

static void stop(const char *what) {
  perror(what);
  exit(1);
}

static int64_t micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* xorshift64*: the same losses for the same seed. */
static double thrown(void) {
  dice ^= dice >> 12;
  dice ^= dice << 25;
  dice ^= dice >> 27;
  return (double)((dice * 2685821657736338717ULL) >> 11) / (double)(1ULL << 53);
}

static int tun(const char *name) {
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) stop("/dev/net/tun");
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(device, TUNSETIFF, &request) < 0) stop(name);
  return device;
}

int main(int count, char **words) {
  if (count != 5) {
    fprintf(stderr, "impaired-link NETNS-FILE DELAY-MS LOSS-PERCENT SEED\n");
    return 2;
  }
  int64_t delay = (int64_t)(atof(words[2]) * 1000);
  double loss = atof(words[3]) / 100;
  dice = strtoull(words[4], NULL, 10) * 2654435761ULL + 88172645463325252ULL;

  int ends[2];
  ends[0] = tun("slow0");
  int there = open(words[1], O_RDONLY | O_CLOEXEC);
  if (there < 0) stop(words[1]);
  if (setns(there, CLONE_NEWNET) < 0) stop("setns");
  ends[1] = tun("slow1");
  puts("ready");
  fflush(stdout);

  for (;;) {
    int64_t now = micros();
    while (tail != head && queue[tail % PLACES].due <= now) {
      struct packet *packet = &queue[tail++ % PLACES];
      /* A device that is not up yet takes nothing; that packet is lost. */
      if (write(packet->to, packet->bytes, (size_t)packet->length) < 0) continue;
    }
    struct pollfd polled[3] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}, {0, POLLIN, 0}};
    struct timespec wait = {0, 50000000};
    if (tail != head) {
      int64_t left = queue[tail % PLACES].due - now;
      wait.tv_sec = left / 1000000;
      wait.tv_nsec = left % 1000000 * 1000;
    }
    if (ppoll(polled, 3, &wait, NULL) < 0 && errno != EINTR) stop("ppoll");
    if (polled[2].revents) {
      char word[64];
      if (read(0, word, sizeof word) <= 0) return 0;
    }
    for (int end = 0; end < 2; end++) {
      while (head - tail < PLACES) {
        struct packet *packet = &queue[head % PLACES];
        packet->length = (int)read(ends[end], packet->bytes, MOST);
        if (packet->length <= 0) break;
        if (thrown() < loss) continue;
        packet->due = micros() + delay;
        packet->to = ends[1 - end];
        head++;
      }
    }
  }
}
