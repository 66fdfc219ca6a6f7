/* Interfaces, addresses and routes by rtnetlink; what belongs together goes to the kernel in one message. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "plugin.h"

/* Requests of one sendmsg, in the order in which the kernel carries them out; `first` begins the last one. */
struct batch {
  char bytes[8192];
  size_t length;
  struct nlmsghdr *first;
  unsigned count;
};

static void *grow(struct batch *batch, size_t size) {
  void *at = batch->bytes + batch->length;
  const size_t aligned = NLMSG_ALIGN(size);
  if (batch->length + aligned > sizeof batch->bytes) fail(NETWORK_FAILURE, "too many addresses");
  memset(at, 0, aligned);
  batch->length += aligned;
  if (batch->first != NULL) batch->first->nlmsg_len += (uint32_t)aligned;
  return at;
}

/* Begins a request; returns its header of `size` bytes. */
static void *request(struct batch *batch, int type, int flags, size_t size) {
  batch->first = NULL;
  struct nlmsghdr *header = grow(batch, NLMSG_HDRLEN);
  *header = (struct nlmsghdr){.nlmsg_len = NLMSG_HDRLEN,
                              .nlmsg_type = (uint16_t)type,
                              .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
                              .nlmsg_seq = ++batch->count};
  batch->first = header;
  return grow(batch, size);
}

static struct rtattr *attribute(struct batch *batch, int type, const void *value, size_t size) {
  struct rtattr *attribute = grow(batch, RTA_LENGTH(size));
  attribute->rta_type = (unsigned short)type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(attribute), value, size);
  return attribute;
}

/* What was added since `nest` is its value. */
static void end_nest(struct batch *batch, struct rtattr *nest) {
  nest->rta_len = (unsigned short)(batch->bytes + batch->length - (char *)nest);
}

static int open_netlink(void) {
  const int opened = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (opened < 0) fail(NETWORK_FAILURE, "cannot reach the kernel's network: %s", strerror(errno));
  return opened;
}

/* Sends the requests; returns 0 or the negative error of the first that failed. */
static int perform(struct batch *batch) {
  const int to = open_netlink();
  if (send(to, batch->bytes, batch->length, 0) < 0) fail(NETWORK_FAILURE, "cannot ask the kernel: %s", strerror(errno));
  int error = 0;
  for (unsigned answered = 0; answered < batch->count;) {
    char answer[16384];
    ssize_t length = recv(to, answer, sizeof answer, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) fail(NETWORK_FAILURE, "the kernel does not answer: %s", strerror(errno));
    for (struct nlmsghdr *at = (struct nlmsghdr *)answer; NLMSG_OK(at, (size_t)length); at = NLMSG_NEXT(at, length)) {
      if (at->nlmsg_type != NLMSG_ERROR) continue;
      answered++;
      const int found = ((struct nlmsgerr *)NLMSG_DATA(at))->error;
      if (error == 0) error = found;
    }
  }
  close(to);
  return error;
}

void enter_network(int netns) {
  if (setns(netns, CLONE_NEWNET) != 0) fail(NETWORK_FAILURE, "cannot enter the network namespace: %s", strerror(errno));
}

static unsigned index_of(const char *name) {
  const unsigned index = if_nametoindex(name);
  if (index == 0) fail(NETWORK_FAILURE, "there is no interface %s: %s", name, strerror(errno));
  return index;
}

void make_pair(int netns, const char *ifname, int mtu, struct pair *pair) {
  const uint32_t bytes = (uint32_t)mtu;
  int error;
  do {
    uint32_t chance;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance) fail(NETWORK_FAILURE, "no random numbers");
    snprintf(pair->host, sizeof pair->host, "veth%08x", chance);
    struct batch batch = {0};
    struct ifinfomsg *link = request(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *link);
    attribute(&batch, IFLA_IFNAME, pair->host, strlen(pair->host) + 1);
    attribute(&batch, IFLA_MTU, &bytes, sizeof bytes);
    struct rtattr *info = attribute(&batch, IFLA_LINKINFO, NULL, 0);
    attribute(&batch, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = attribute(&batch, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = attribute(&batch, VETH_INFO_PEER, NULL, 0);
    grow(&batch, sizeof(struct ifinfomsg));
    attribute(&batch, IFLA_IFNAME, ifname, strlen(ifname) + 1);
    attribute(&batch, IFLA_MTU, &bytes, sizeof bytes);
    attribute(&batch, IFLA_NET_NS_FD, &netns, sizeof netns);
    end_nest(&batch, peer);
    end_nest(&batch, data);
    end_nest(&batch, info);
    error = perform(&batch);
    // The name is taken here, not in the pod.
  } while (error == -EEXIST && if_nametoindex(pair->host) != 0);
  if (error != 0) fail(NETWORK_FAILURE, "cannot make the interface %s: %s", ifname, strerror(-error));
  mac_of(pair->host, pair->host_mac);
}

static void switch_on(struct batch *batch, unsigned index) {
  struct ifinfomsg *link = request(batch, RTM_NEWLINK, 0, sizeof *link);
  link->ifi_index = (int)index;
  link->ifi_flags = link->ifi_change = IFF_UP;
}

static void add_address(struct batch *batch, unsigned index, const struct address *address, int bits, unsigned flags) {
  struct ifaddrmsg *message = request(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *message);
  *message = (struct ifaddrmsg){.ifa_family = (uint8_t)address->family, .ifa_prefixlen = (uint8_t)bits, .ifa_index = index};
  // Nobody else can have it: there is nothing to wait for.
  const uint32_t all = flags | (address->family == AF_INET6 ? IFA_F_NODAD : 0);
  attribute(batch, IFA_LOCAL, address->bytes, (size_t)address_size(address));
  attribute(batch, IFA_ADDRESS, address->bytes, (size_t)address_size(address));
  attribute(batch, IFA_FLAGS, &all, sizeof all);
}

struct route {
  const struct address *to;
  int bits;
  int scope;
  const struct address *via;
  const struct address *source;
};

static void add_route(struct batch *batch, unsigned index, struct route route) {
  struct rtmsg *message = request(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *message);
  *message = (struct rtmsg){.rtm_family = (uint8_t)route.to->family,
                            .rtm_dst_len = (uint8_t)route.bits,
                            .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = RTPROT_BOOT,
                            .rtm_scope = (uint8_t)route.scope,
                            .rtm_type = RTN_UNICAST};
  const size_t size = (size_t)address_size(route.to);
  if (route.bits > 0) attribute(batch, RTA_DST, route.to->bytes, size);
  if (route.via != NULL) attribute(batch, RTA_GATEWAY, route.via->bytes, size);
  if (route.source != NULL) attribute(batch, RTA_PREFSRC, route.source->bytes, size);
  attribute(batch, RTA_OIF, &index, sizeof index);
}

void address_host_end(const char *name, const struct lease *leases, int count) {
  const unsigned index = index_of(name);
  struct batch batch = {0};
  switch_on(&batch, index);
  for (int i = 0; i < count; i++) {
    const int bits = 8 * address_size(&leases[i].own);
    add_address(&batch, index, &leases[i].gateway, bits, 0);
    add_route(&batch, index, (struct route){.to = &leases[i].own, .bits = bits, .scope = RT_SCOPE_HOST});
  }
  const int error = perform(&batch);
  if (error != 0) fail(NETWORK_FAILURE, "cannot route to the pod: %s", strerror(-error));
}

/* A pod's sandbox may have been made with IPv6 switched off. */
static void allow_ipv6(const char *ifname) {
  char path[128];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
  const int setting = open(path, O_WRONLY | O_CLOEXEC);
  if (setting < 0) return;
  if (write(setting, "0", 1) != 1) fail(NETWORK_FAILURE, "cannot switch on IPv6: %s", strerror(errno));
  close(setting);
}

void address_pod_end(const char *ifname, const struct lease *leases, int count) {
  const unsigned index = index_of(ifname);
  struct batch batch = {0};
  switch_on(&batch, index);
  for (int i = 0; i < count; i++) {
    const struct lease *lease = &leases[i];
    if (lease->own.family == AF_INET6) allow_ipv6(ifname);
    // Its network is not on this link: all but the gateway is reached by way of it.
    add_address(&batch, index, &lease->own, lease->network.bits, IFA_F_NOPREFIXROUTE);
    const struct address *gateway = &lease->gateway, *own = &lease->own;
    add_route(&batch, index, (struct route){.to = gateway, .bits = 8 * address_size(own), .scope = RT_SCOPE_LINK, .source = own});
    add_route(&batch, index, (struct route){.to = &lease->network, .bits = lease->network.bits, .via = gateway, .source = own});
    add_route(&batch, index, (struct route){.to = gateway, .bits = 0, .via = gateway});
  }
  const int error = perform(&batch);
  if (error != 0) fail(NETWORK_FAILURE, "cannot give %s its addresses: %s", ifname, strerror(-error));
}

void loopback_up(void) {
  struct batch batch = {0};
  switch_on(&batch, index_of("lo"));
  const int error = perform(&batch);
  if (error != 0) fail(NETWORK_FAILURE, "cannot switch on lo: %s", strerror(-error));
}

bool delete_link(const char *ifname) {
  const unsigned index = if_nametoindex(ifname);
  if (index == 0) return false;
  struct batch batch = {0};
  struct ifinfomsg *link = request(&batch, RTM_DELLINK, 0, sizeof *link);
  link->ifi_index = (int)index;
  const int error = perform(&batch);
  if (error != 0 && error != -ENODEV) fail(NETWORK_FAILURE, "cannot remove %s: %s", ifname, strerror(-error));
  return true;
}

static bool interface_request(const char *ifname, unsigned long what, struct ifreq *about) {
  memset(about, 0, sizeof *about);
  snprintf(about->ifr_name, sizeof about->ifr_name, "%s", ifname);
  const int asked = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool known = asked >= 0 && ioctl(asked, what, about) == 0;
  if (asked >= 0) close(asked);
  return known;
}

bool mac_of(const char *ifname, char mac[18]) {
  struct ifreq about;
  if (!interface_request(ifname, SIOCGIFHWADDR, &about)) return false;
  const unsigned char *bytes = (const unsigned char *)about.ifr_hwaddr.sa_data;
  snprintf(mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
  return true;
}

bool is_up(const char *ifname) {
  struct ifreq about;
  return interface_request(ifname, SIOCGIFFLAGS, &about) && (about.ifr_flags & IFF_UP) != 0;
}

bool has_address(const char *ifname, const struct address *address) {
  struct ifaddrs *all;
  if (getifaddrs(&all) != 0) fail(NETWORK_FAILURE, "cannot list addresses: %s", strerror(errno));
  bool found = false;
  for (struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next) {
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != address->family || strcmp(at->ifa_name, ifname) != 0) continue;
    const void *bytes = address->family == AF_INET ? (void *)&((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr
                                                   : (void *)&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr;
    found = memcmp(bytes, address->bytes, (size_t)address_size(address)) == 0;
  }
  freeifaddrs(all);
  return found;
}
