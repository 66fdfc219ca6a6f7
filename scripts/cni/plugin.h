/* What the parts of the CNI plugin share. Every function that can fail ends the program with a CNI error. */
#ifndef PLUGIN_H
#define PLUGIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"

/* Error codes of the CNI specification; those of plugins begin at 100. */
enum { BAD_ENVIRONMENT = 4, IO_FAILURE = 5, BAD_JSON = 6, BAD_CONFIG = 7, NO_ADDRESS = 100, NETWORK_FAILURE = 101, NOT_AS_MADE = 102 };

#define MAX_RANGES 2
#define MAX_TEXT 512

/* fail.c */
void fail(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* Called once by fail() before it ends the program: takes back what was done. */
void on_failure(void (*undo)(void));
void set_version(const char *version);
const char *version(void);

/* An address in network byte order with its network's prefix. */
struct address {
  int family;
  unsigned char bytes[16];
  int bits;
};
int address_size(const struct address *address);
/* Reads `10.42.0.0/24`. */
bool parse_network(const char *text, struct address *to);
const char *address_text(const struct address *address);

/* addresses.c: the files that say who has which address, in the form of CNI's plugin host-local. */
struct lease {
  struct address own;
  struct address gateway;
  struct address network;
};
void take_addresses(const char *dir, const struct address *networks, int count, const char *owner, struct lease *leases);
void release_addresses(const char *dir, const char *owner);
/* The addresses of an owner; how many there are. */
int owned_addresses(const char *dir, const char *owner, struct address *to, int room);

/* links.c */
struct pair {
  char host[16];
  char host_mac[18];
  char pod_mac[18];
};
void enter_network(int netns);
void make_pair(int netns, const char *ifname, int mtu, struct pair *pair);
void address_host_end(const char *name, const struct lease *leases, int count);
/* In the pod's network namespace. */
void address_pod_end(const char *ifname, const struct lease *leases, int count);
void loopback_up(void);
/* Whether the interface was there. */
bool delete_link(const char *ifname);
bool mac_of(const char *ifname, char mac[18]);
bool is_up(const char *ifname);
bool has_address(const char *ifname, const struct address *address);

#endif
