/*
 * Addresses and who has them. On disk as CNI's plugin host-local keeps them, so that pods of nodes that ran it keep theirs: a file
 * for each address with its owner, `last_reserved_ip.N` beside them, and all of it under the lock of the file `lock`. An address
 * that was given back is the last to be given away again.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "plugin.h"

int address_size(const struct address *address) { return address->family == AF_INET ? 4 : 16; }

bool parse_network(const char *text, struct address *to) {
  char host[64];
  int bits, end = 0;
  if (sscanf(text, "%63[^/]/%d%n", host, &bits, &end) != 2 || text[end] != 0) return false;
  memset(to, 0, sizeof *to);
  to->family = strchr(host, ':') == NULL ? AF_INET : AF_INET6;
  to->bits = bits;
  if (inet_pton(to->family, host, to->bytes) != 1) return false;
  // A network of one address has no room for a gateway.
  return bits >= 0 && bits <= 8 * address_size(to) - 2;
}

const char *address_text(const struct address *address) {
  static char texts[4][INET6_ADDRSTRLEN];
  static int turn;
  char *text = texts[turn++ % 4];
  inet_ntop(address->family, address->bytes, text, INET6_ADDRSTRLEN);
  return text;
}

static void next(struct address *address) {
  for (int i = address_size(address) - 1; i >= 0 && ++address->bytes[i] == 0; i--) {
  }
}

static bool same(const struct address *a, const struct address *b) {
  return a->family == b->family && memcmp(a->bytes, b->bytes, (size_t)address_size(a)) == 0;
}

static struct address first_of(const struct address *network) {
  struct address first = *network;
  for (int bit = first.bits; bit < 8 * address_size(&first); bit++) first.bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
  return first;
}

/* The last that a pod may have: of IPv4 networks not the one that means all. */
static struct address last_of(const struct address *network) {
  struct address last = first_of(network);
  for (int bit = last.bits; bit < 8 * address_size(&last); bit++) last.bytes[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
  if (last.family == AF_INET) last.bytes[3]--;
  return last;
}

static bool parse_address(const char *text, struct address *to) {
  to->family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  return inet_pton(to->family, text, to->bytes) == 1;
}

static bool within(const struct address *address, const struct address *first, const struct address *last) {
  const size_t size = (size_t)address_size(first);
  return address->family == first->family && memcmp(address->bytes, first->bytes, size) >= 0 &&
         memcmp(address->bytes, last->bytes, size) <= 0;
}

static void make_dirs(const char *dir) {
  char path[MAX_TEXT + 64];
  snprintf(path, sizeof path, "%s", dir);
  for (char *slash = path + 1;; slash++) {
    if (*slash != '/' && *slash != 0) continue;
    const char was = *slash;
    *slash = 0;
    if (mkdir(path, 0755) != 0 && errno != EEXIST) fail(IO_FAILURE, "cannot make %s: %s", path, strerror(errno));
    if (was == 0) return;
    *slash = '/';
  }
}

/* The lock that this program holds, or -1: it ends with the file. */
static int lock = -1;

static void unlock(int dir) {
  close(lock);
  lock = -1;
  close(dir);
}

/* Opens and locks the directory; -1 when there is none. */
static int open_locked(const char *dir) {
  const int opened = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return -1;
  // After a failure it may be held already.
  if (lock >= 0) close(lock);
  lock = openat(opened, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) fail(IO_FAILURE, "cannot lock %s: %s", dir, strerror(errno));
  return opened;
}

static ssize_t read_file(int dir, const char *name, char *to, size_t size) {
  const int file = openat(dir, name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t length = read(file, to, size - 1);
  close(file);
  to[length < 0 ? 0 : length] = 0;
  return length;
}

static bool write_file(int dir, const char *name, const char *text, int flags) {
  const int file = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
  if (file < 0) return false;
  const bool whole = write(file, text, strlen(text)) == (ssize_t)strlen(text);
  close(file);
  if (!whole) unlinkat(dir, name, 0);
  return whole;
}

static void take(int dir, int place, const struct address *network, const char *owner, struct lease *lease) {
  const struct address last = last_of(network);
  struct address first = first_of(network), at;
  next(&first);
  lease->network = first_of(network);
  lease->gateway = first;
  char name[64], text[64];
  snprintf(name, sizeof name, "last_reserved_ip.%d", place);
  at = last;
  if (read_file(dir, name, text, sizeof text) > 0 && inet_pton(at.family, text, at.bytes) == 1 && !within(&at, &first, &last))
    at = last;
  const struct address start = at;
  do {
    if (same(&at, &last)) at = first;
    else next(&at);
    if (same(&at, &lease->gateway)) continue;
    if (write_file(dir, address_text(&at), owner, O_EXCL)) {
      lease->own = at;
      write_file(dir, name, address_text(&at), O_TRUNC);
      return;
    }
    if (errno != EEXIST) fail(IO_FAILURE, "cannot note the address %s: %s", address_text(&at), strerror(errno));
  } while (!same(&at, &start));
  fail(NO_ADDRESS, "failed to allocate for range %d: no IP addresses available in range set: %s-%s", place, address_text(&first),
       address_text(&last));
}

void take_addresses(const char *dir, const struct address *networks, int count, const char *owner, struct lease *leases) {
  make_dirs(dir);
  const int opened = open_locked(dir);
  if (opened < 0) fail(IO_FAILURE, "cannot open %s: %s", dir, strerror(errno));
  for (int i = 0; i < count; i++) take(opened, i, &networks[i], owner, &leases[i]);
  unlock(opened);
}

/* Calls `found` with every address that is the owner's. */
static void each_owned(int dir, const char *owner, void (*found)(int dir, const struct address *address, void *context), void *context) {
  DIR *entries = fdopendir(dup(dir));
  if (entries == NULL) fail(IO_FAILURE, "cannot list addresses: %s", strerror(errno));
  char text[MAX_TEXT];
  struct address address;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    if (!parse_address(entry->d_name, &address) || read_file(dir, entry->d_name, text, sizeof text) < 0) continue;
    if (strcmp(text, owner) == 0) found(dir, &address, context);
  }
  closedir(entries);
}

static void give_back(int dir, const struct address *address, void *context) {
  (void)context;
  unlinkat(dir, address_text(address), 0);
}

void release_addresses(const char *dir, const char *owner) {
  const int opened = open_locked(dir);
  // Nothing was ever given away.
  if (opened < 0) return;
  each_owned(opened, owner, give_back, NULL);
  unlock(opened);
}

struct collected {
  struct address *to;
  int room;
  int count;
};

static void collect(int dir, const struct address *address, void *context) {
  (void)dir;
  struct collected *all = context;
  if (all->count < all->room) all->to[all->count++] = *address;
}

int owned_addresses(const char *dir, const char *owner, struct address *to, int room) {
  struct collected all = {.to = to, .room = room};
  const int opened = open_locked(dir);
  if (opened < 0) return 0;
  each_owned(opened, owner, collect, &all);
  unlock(opened);
  return all.count;
}
