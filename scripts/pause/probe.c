/*
 * What `kube-lite doctor network` runs in pods, beside pause in the image that every node has:
 *   probe serve NAME             says NAME to whoever connects to TCP port 8080, and then enough to fill several packets
 *   probe check CHECK...         makes all checks at once and writes a line `INDEX REASON` for each that failed to the
 *                                termination log; CHECK is `tcp,ADDRESS,PORT,NAME` or `dns,NAME,ADDRESS`
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 8080, TRIES = 4, TIMEOUT_S = 1, TEXT = 200, FILLING = 8192 };

/* The first process of a pod is told to end in vain unless it says what to do then. */
static void on_end(int signal) { (void)signal; _exit(0); }

static int address_of(const char *text, int port, struct sockaddr_storage *address, socklen_t *size) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    *size = sizeof *v4;
    return 1;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) return 0;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  *size = sizeof *v6;
  return 1;
}

static int open_socket(int family, int type) {
  struct timeval limit = {.tv_sec = TIMEOUT_S};
  int fd = socket(family, type, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

static const char *reason_of(int error) {
  if (error == EAGAIN || error == EINPROGRESS || error == ETIMEDOUT) return "no answer";
  if (error == ECONNREFUSED) return "refused";
  return strerror(error);
}

static int serve(const char *name) {
  int no = 0, yes = 1;
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  if (fd >= 0) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&any, sizeof any)) return 1;
  } else {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0 || bind(fd, (struct sockaddr *)&any, sizeof any)) return 1;
  }
  if (listen(fd, 64)) return 1;
  for (;;) {
    static const char filling[FILLING];
    int peer = accept(fd, 0, 0);
    if (peer < 0) continue;
    // The name goes in a small packet of its own.
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (write(peer, name, strlen(name)) < 0 || send(peer, filling, sizeof filling, MSG_DONTWAIT) < 0) perror("write");
    close(peer);
  }
}

/* What comes after the name has come to its end. */
static int is_filled(int fd) {
  char part[4096];
  size_t got = 0;
  for (ssize_t length; (length = recv(fd, part, sizeof part, 0)) > 0;) got += length;
  return got == FILLING;
}

/* Empty text in `reason`: it worked. */
static void check_tcp(const char *host, int port, const char *name, char *reason) {
  struct sockaddr_storage address;
  socklen_t size;
  char answer[TEXT] = "";
  if (!address_of(host, port, &address, &size)) {
    snprintf(reason, TEXT, "no such address");
    return;
  }
  int fd = open_socket(address.ss_family, SOCK_STREAM);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, size)) {
    snprintf(reason, TEXT, "%s", reason_of(errno));
  } else {
    size_t wanted = strlen(name);
    ssize_t length = recv(fd, answer, wanted < sizeof answer ? wanted : sizeof answer - 1, MSG_WAITALL);
    if (length < 0) snprintf(reason, TEXT, "%s", reason_of(errno));
    else if (strcmp(answer, name)) snprintf(reason, TEXT, "something else answered");
    else if (!is_filled(fd)) snprintf(reason, TEXT, "only small packets arrive");
  }
  if (fd >= 0) close(fd);
}

static int name_server(char *server) {
  char line[256];
  FILE *file = fopen("/etc/resolv.conf", "r");
  int found = 0;
  while (file && !found && fgets(line, sizeof line, file)) found = sscanf(line, "nameserver %63s", server) == 1;
  if (file) fclose(file);
  return found;
}

static void check_dns(const char *name, const char *expected, char *reason) {
  unsigned char query[300] = {0x4b, 0x4c, 1, 0, 0, 1}, answer[600];
  char server[64];
  struct sockaddr_storage address;
  unsigned char wanted[16];
  int v6 = strchr(expected, ':') != 0;
  socklen_t size;
  size_t end = 12;
  if (!name_server(server) || !address_of(server, 53, &address, &size) || strlen(name) > 250) {
    snprintf(reason, TEXT, "no name server in /etc/resolv.conf");
    return;
  }
  for (const char *label = name; *label;) {
    size_t length = strcspn(label, ".");
    query[end++] = length;
    memcpy(query + end, label, length);
    end += length;
    label += length + (label[length] == '.');
  }
  memcpy(query + end, v6 ? "\0\0\34\0\1" : "\0\0\1\0\1", 5);
  end += 5;
  int fd = open_socket(address.ss_family, SOCK_DGRAM);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) || send(fd, query, end, 0) < 0) {
    snprintf(reason, TEXT, "%s: %s", server, reason_of(errno));
  } else {
    ssize_t length = recv(fd, answer, sizeof answer, 0);
    inet_pton(v6 ? AF_INET6 : AF_INET, expected, wanted);
    if (length < 12) snprintf(reason, TEXT, "%s: %s", server, length < 0 ? reason_of(errno) : "a short answer");
    else if (answer[3] & 15) snprintf(reason, TEXT, "%s: code %d", server, answer[3] & 15);
    else if (!memmem(answer + 12, length - 12, wanted, v6 ? 16 : 4)) snprintf(reason, TEXT, "%s: another address", server);
  }
  if (fd >= 0) close(fd);
}

static void check(int index, char *text, int log) {
  char reason[TEXT], line[2 * TEXT];
  char *kind = strsep(&text, ","), *first = strsep(&text, ","), *second = strsep(&text, ",");
  if (!second) return;
  for (int attempt = 0; attempt < TRIES; attempt++) {
    if (attempt) usleep(500000);
    reason[0] = 0;
    if (!strcmp(kind, "dns")) check_dns(first, second, reason);
    else check_tcp(first, atoi(second), text ? text : "", reason);
    if (!reason[0]) return;
  }
  snprintf(line, sizeof line, "%d %s\n", index, reason);
  if (write(log, line, strlen(line)) < 0) perror("write");
}

int main(int count, char **words) {
  signal(SIGTERM, on_end);
  signal(SIGPIPE, SIG_IGN);
  if (count == 3 && !strcmp(words[1], "serve")) return serve(words[2]);
  if (count < 2 || strcmp(words[1], "check")) return 2;
  int log = open("/dev/termination-log", O_WRONLY | O_APPEND);
  if (log < 0) return 3;
  for (int i = 2; i < count; i++) {
    pid_t child = fork();
    if (child < 0) return 4;
    if (child == 0) {
      check(i - 2, words[i], log);
      _exit(0);
    }
  }
  while (wait(0) > 0) {
  }
  return write(log, "done\n", 5) == 5 ? 0 : 5;
}
