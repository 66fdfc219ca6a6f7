/*
 * The CNI plugin of the pod network (specification 1.0.0): a routed pair of interfaces for a pod, as CNI's ptp makes it, with addresses
 * as its host-local gives them, and the loopback interface. One small program, for it is started five times in a pod's life.
 * Bandwidth limits, which few pods have, are left to CNI's plugin bandwidth.
 *
 * Configuration: {"type":"kube-lite","mtu":1450,"dataDir":"/...","ranges":["10.42.0.0/24","fd42::/64"],
 * "capabilities":{"bandwidth":true}}, or {"type":"loopback"}.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "plugin.h"

#define MAX_INPUT (1 << 20)
/* Bits. */
#define MIN_BURST (2ULL * 65536 * 8)

struct input {
  char text[MAX_INPUT];
  const char *netns_path;
  const char *ifname;
  /* As it stands in the file of an address. */
  char owner[MAX_TEXT];
  char network[64];
  char dir[MAX_TEXT + 64];
  struct address ranges[MAX_RANGES];
  int count;
  int mtu;
  /* The pod's limits as they were given; NULL: it has none. */
  const char *bandwidth;
};

/* What ADD has done so far. */
static struct {
  const struct input *input;
  struct pair pair;
  bool in_pod;
  bool paired;
} made;

static void undo_add(void) {
  if (made.paired) delete_link(made.in_pod ? made.input->ifname : made.pair.host);
  release_addresses(made.input->dir, made.input->owner);
}

static const char *environment(const char *name) {
  const char *value = getenv(name);
  if (value == NULL || *value == 0) fail(BAD_ENVIRONMENT, "required env variables [%s] missing", name);
  return value;
}

static void read_all(struct input *input) {
  size_t length = 0;
  for (ssize_t got; (got = read(0, input->text + length, MAX_INPUT - 1 - length)) != 0; length += (size_t)got)
    if (got < 0) fail(IO_FAILURE, "cannot read the configuration: %s", strerror(errno));
  input->text[length] = 0;
  if (!json_valid(input->text)) fail(BAD_JSON, "the configuration is not JSON");
  char wanted[16] = "";
  json_string(json_member(input->text, "cniVersion"), wanted, sizeof wanted);
  for (const char *const *known = (const char *const[]){"0.3.0", "0.3.1", "0.4.0", "1.0.0", NULL};; known++) {
    if (*known == NULL) fail(1, "incompatible CNI versions: config is \"%s\", plugin supports 0.3.0 to 1.0.0", wanted);
    if (strcmp(*known, wanted) == 0) break;
  }
  set_version(wanted);
}

static void read_network(struct input *input) {
  const char *config = input->text;
  char dir[MAX_TEXT], text[64];
  if (!json_string(json_member(config, "name"), input->network, sizeof input->network) || strchr(input->network, '/') != NULL)
    fail(BAD_CONFIG, "name must be that of a network");
  if (!json_string(json_member(config, "dataDir"), dir, sizeof dir) || *dir != '/') fail(BAD_CONFIG, "dataDir must be an absolute path");
  snprintf(input->dir, sizeof input->dir, "%s/%s", dir, input->network);
  const char *mtu = json_member(config, "mtu");
  input->mtu = mtu == NULL ? 1500 : atoi(mtu);
  const char *ranges = json_member(config, "ranges"), *range;
  for (; (range = json_element(ranges, input->count)) != NULL; input->count++)
    if (input->count == MAX_RANGES || !json_string(range, text, sizeof text) || !parse_network(text, &input->ranges[input->count]))
      fail(BAD_CONFIG, "ranges must be one or two networks");
  if (input->count == 0) fail(BAD_CONFIG, "ranges must be one or two networks");
  snprintf(input->owner, sizeof input->owner, "%s\r\n%s", environment("CNI_CONTAINERID"), input->ifname);
  input->bandwidth = json_member(json_member(config, "runtimeConfig"), "bandwidth");
  if (input->bandwidth != NULL && *input->bandwidth != '{') input->bandwidth = NULL;
}

static int open_netns(const struct input *input) {
  const int netns = open(input->netns_path, O_RDONLY | O_CLOEXEC);
  if (netns < 0) fail(IO_FAILURE, "failed to open netns \"%s\": %s", input->netns_path, strerror(errno));
  return netns;
}

static void print_interface(const char *name, const char *mac, const char *netns_path) {
  printf("{\"name\":");
  print_json_string(name);
  printf(",\"mac\":\"%s\"", mac);
  if (netns_path != NULL) {
    printf(",\"sandbox\":");
    print_json_string(netns_path);
  }
  putchar('}');
}

static void print_ip(const struct address *own, int bits, const struct address *gateway, int interface) {
  printf("{");
  // Before 1.0.0 it had to be said.
  if (version()[0] == '0') printf("\"version\":\"%d\",", address_size(own) == 4 ? 4 : 6);
  printf("\"interface\":%d,\"address\":\"%s/%d\"", interface, address_text(own), bits);
  if (gateway != NULL) printf(",\"gateway\":\"%s\"", address_text(gateway));
  putchar('}');
}

static void print_result(const struct input *input, const struct pair *pair, const struct lease *leases) {
  printf("{\"cniVersion\":\"%s\",\"interfaces\":[", version());
  print_interface(pair->host, pair->host_mac, NULL);
  putchar(',');
  print_interface(input->ifname, pair->pod_mac, input->netns_path);
  printf("],\"ips\":[");
  for (int i = 0; i < input->count; i++) {
    if (i > 0) putchar(',');
    print_ip(&leases[i].own, leases[i].network.bits, &leases[i].gateway, 1);
  }
  printf("],\"routes\":[");
  for (int i = 0; i < input->count; i++)
    printf("%s{\"dst\":\"%s\"}", i > 0 ? "," : "", address_size(&leases[i].own) == 4 ? "0.0.0.0/0" : "::/0");
  printf("],\"dns\":{}}");
}

/* containerd begins the names with capitals, where the plugin's documentation does not. */
static unsigned long long bits_of(const char *limits, const char *direction, const char *what) {
  char name[32];
  snprintf(name, sizeof name, "%s%s", direction, what);
  const char *value = json_member(limits, name);
  if (value == NULL) {
    name[0] += 'A' - 'a';
    value = json_member(limits, name);
  }
  return value == NULL ? 0 : strtoull(value, NULL, 10);
}

/*
 * Runtimes let through as much at once as a number holds, half a gigabyte: most pods would never meet their limit. Here it is what a
 * quarter of a second carries, and at least two packets of the size that the kernel hands over.
 */
static bool print_limit(const char *limits, const char *direction, bool after) {
  const unsigned long long rate = bits_of(limits, direction, "Rate");
  unsigned long long burst = bits_of(limits, direction, "Burst");
  if (rate == 0) return false;
  const unsigned long long most = rate / 4 > MIN_BURST ? rate / 4 : MIN_BURST;
  if (burst == 0 || burst > most) burst = most;
  printf("%s\"%sRate\":%llu,\"%sBurst\":%llu", after ? "," : "", direction, rate, direction, burst);
  return true;
}

/* Runs CNI's plugin bandwidth, whose result, or error, is ours; `result` writes the one so far to standard output. */
static int run_bandwidth(const struct input *input, void (*result)(void)) {
  char program[MAX_TEXT];
  // The first directory is ours.
  snprintf(program, sizeof program, "%.*s/bandwidth", (int)strcspn(environment("CNI_PATH"), ":"), environment("CNI_PATH"));
  int ends[2];
  if (pipe(ends) != 0) fail(IO_FAILURE, "cannot make a pipe: %s", strerror(errno));
  const pid_t child = fork();
  if (child < 0) fail(IO_FAILURE, "cannot fork: %s", strerror(errno));
  if (child == 0) {
    dup2(ends[0], 0);
    close(ends[0]);
    close(ends[1]);
    execl(program, program, (char *)NULL);
    fail(IO_FAILURE, "cannot run %s: %s", program, strerror(errno));
  }
  close(ends[0]);
  const int out = dup(1);
  dup2(ends[1], 1);
  close(ends[1]);
  printf("{\"cniVersion\":\"%s\",\"name\":\"%s\",\"type\":\"bandwidth\",\"runtimeConfig\":{\"bandwidth\":{", version(), input->network);
  const bool limited = print_limit(input->bandwidth, "ingress", false);
  print_limit(input->bandwidth, "egress", limited);
  printf("}}");
  if (result != NULL) {
    printf(",\"prevResult\":");
    result();
  }
  putchar('}');
  fflush(stdout);
  dup2(out, 1);
  close(out);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static struct lease leases[MAX_RANGES];

static void print_made(void) { print_result(made.input, &made.pair, leases); }

static int add(struct input *input) {
  read_network(input);
  const int netns = open_netns(input);
  const int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  made.input = input;
  take_addresses(input->dir, input->ranges, input->count, input->owner, leases);
  on_failure(undo_add);
  make_pair(netns, input->ifname, input->mtu, &made.pair);
  made.paired = true;
  address_host_end(made.pair.host, leases, input->count);
  enter_network(netns);
  made.in_pod = true;
  address_pod_end(input->ifname, leases, input->count);
  mac_of(input->ifname, made.pair.pod_mac);
  if (input->bandwidth == NULL) {
    print_made();
    return 0;
  }
  enter_network(host);
  made.in_pod = false;
  const int code = run_bandwidth(input, print_made);
  if (code != 0) undo_add();
  return code;
}

static int delete(struct input *input) {
  read_network(input);
  const int code = input->bandwidth == NULL ? 0 : run_bandwidth(input, NULL);
  if (code != 0) return code;
  const int netns = input->netns_path == NULL ? -1 : open(input->netns_path, O_RDONLY | O_CLOEXEC);
  // Without the namespace there is no interface; and only then may somebody else have the address.
  if (netns >= 0) {
    enter_network(netns);
    delete_link(input->ifname);
  }
  release_addresses(input->dir, input->owner);
  return 0;
}

static int check(struct input *input) {
  read_network(input);
  struct address own[MAX_RANGES];
  const int count = owned_addresses(input->dir, input->owner, own, MAX_RANGES);
  if (count != input->count) fail(NOT_AS_MADE, "host-local: Failed to find address added by container %s", getenv("CNI_CONTAINERID"));
  enter_network(open_netns(input));
  if (!is_up(input->ifname)) fail(NOT_AS_MADE, "the interface %s is missing or down", input->ifname);
  for (int i = 0; i < count; i++)
    if (!has_address(input->ifname, &own[i])) fail(NOT_AS_MADE, "the interface %s has lost %s", input->ifname, address_text(&own[i]));
  return 0;
}

static int loopback(struct input *input, const char *command) {
  // Its end is that of its namespace.
  if (strcmp(command, "DEL") == 0) return 0;
  enter_network(open_netns(input));
  if (strcmp(command, "CHECK") == 0) {
    if (!is_up("lo")) fail(NOT_AS_MADE, "loopback interface is down");
    return 0;
  }
  loopback_up();
  struct address address;
  printf("{\"cniVersion\":\"%s\",\"interfaces\":[", version());
  print_interface("lo", "00:00:00:00:00:00", input->netns_path);
  printf("],\"ips\":[");
  parse_network("127.0.0.1/8", &address);
  print_ip(&address, 8, NULL, 0);
  address = (struct address){.family = AF_INET6, .bytes = {[15] = 1}, .bits = 128};
  if (has_address("lo", &address)) {
    putchar(',');
    print_ip(&address, 128, NULL, 0);
  }
  printf("],\"dns\":{}}");
  return 0;
}

int main(void) {
  static struct input input;
  const char *command = environment("CNI_COMMAND");
  if (strcmp(command, "VERSION") == 0) {
    puts("{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\"]}");
    return 0;
  }
  int (*const verb)(struct input *) = strcmp(command, "ADD") == 0     ? add
                                      : strcmp(command, "DEL") == 0   ? delete
                                      : strcmp(command, "CHECK") == 0 ? check
                                                                      : NULL;
  if (verb == NULL) fail(BAD_ENVIRONMENT, "unknown CNI_COMMAND: %s", command);
  environment("CNI_CONTAINERID");
  input.ifname = environment("CNI_IFNAME");
  if (strlen(input.ifname) >= IFNAMSIZ || strchr(input.ifname, '/') != NULL) fail(BAD_ENVIRONMENT, "invalid CNI_IFNAME");
  // What is to be removed may have lost its namespace.
  input.netns_path = verb == delete ? getenv("CNI_NETNS") : environment("CNI_NETNS");
  if (input.netns_path != NULL && *input.netns_path == 0) input.netns_path = NULL;
  read_all(&input);
  char type[64] = "";
  json_string(json_member(input.text, "type"), type, sizeof type);
  return strcmp(type, "loopback") == 0 ? loopback(&input, command) : verb(&input);
}
