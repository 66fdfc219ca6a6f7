/*
 * What containerd starts as its runtime. runc takes some 5 ms of CPU for anything that it is asked, for it is large and written in Go, and
 * containerd asks it eleven times in a short pod's life. Four of these questions need only what stands in runc's directory of the container,
 * in the plain case; they are answered here as runc answers them:
 *
 *   start ID             of a container that was created: lets its process go on
 *   kill ID SIGNAL       of a container that runs and is not paused
 *   kill --all ID SIGNAL of a container without processes: nothing
 *   delete --force ID    of what is not there: nothing
 *
 * Everything else, and whatever is not as expected, is left to runc beside this program, with its words and exit codes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../cni/json.h"

#define MAX_STATE (1 << 20)
#define PATH_SIZE 4096
/* Between looks at a process that is to start. */
#define LOOK_MS 100

struct container {
  char dir[PATH_SIZE];
  char state[MAX_STATE];
  pid_t pid;
  /* In ticks since the machine started: tells it from another process with its number. */
  unsigned long long started;
};

/* Reads a file whole as text; false when it is not there or does not fit. */
static bool read_text(const char *path, char *to, size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t length = 0;
  ssize_t got;
  while (length < size - 1 && (got = read(file, to + length, size - 1 - length)) > 0) length += (size_t)got;
  close(file);
  to[length] = 0;
  return length > 0 && length < size - 1;
}

static bool read_container(const char *root, const char *id, struct container *container) {
  char path[PATH_SIZE + 16];
  snprintf(container->dir, sizeof container->dir, "%s/%s", root, id);
  snprintf(path, sizeof path, "%s/state.json", container->dir);
  if (!read_text(path, container->state, sizeof container->state) || !json_valid(container->state)) return false;
  const char *pid = json_member(container->state, "init_process_pid");
  const char *started = json_member(container->state, "init_process_start");
  if (pid == NULL || started == NULL) return false;
  container->pid = (pid_t)strtol(pid, NULL, 10);
  container->started = strtoull(started, NULL, 10);
  return container->pid > 0;
}

/* Its first process is there and has not ended. */
static bool lives(const struct container *container) {
  char path[64], text[1024], state;
  unsigned long long started;
  snprintf(path, sizeof path, "/proc/%d/stat", container->pid);
  if (!read_text(path, text, sizeof text)) return false;
  // The name before it may hold anything.
  const char *behind = strrchr(text, ')');
  if (behind == NULL) return false;
  const char *const fields =
      ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu";
  if (sscanf(behind, fields, &state, &started) != 2) return false;
  return started == container->started && state != 'Z' && state != 'X';
}

/* The path of one of its cgroups; "" is the only one where cgroups are of version 2. */
static bool cgroup_path(const struct container *container, const char *controller, char *to, size_t size) {
  return json_string(json_member(json_member(container->state, "cgroup_paths"), controller), to, size);
}

static bool is_thawed(const struct container *container) {
  char dir[PATH_SIZE], path[PATH_SIZE + 32], text[32];
  if (cgroup_path(container, "freezer", dir, sizeof dir)) {
    snprintf(path, sizeof path, "%s/freezer.state", dir);
    return read_text(path, text, sizeof text) && strcmp(text, "THAWED\n") == 0;
  }
  if (!cgroup_path(container, "", dir, sizeof dir)) return false;
  snprintf(path, sizeof path, "%s/cgroup.freeze", dir);
  return read_text(path, text, sizeof text) && strcmp(text, "0\n") == 0;
}

/* No process is in its cgroup, which has none below it. */
static bool is_empty(const struct container *container) {
  char dir[PATH_SIZE], path[PATH_SIZE + 32];
  if (!cgroup_path(container, "devices", dir, sizeof dir) && !cgroup_path(container, "", dir, sizeof dir)) return false;
  struct stat about;
  // Itself, its parent and one link for each below it.
  if (stat(dir, &about) != 0 || about.st_nlink != 2) return false;
  snprintf(path, sizeof path, "%s/cgroup.procs", dir);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char first;
  const bool empty = read(file, &first, 1) == 0;
  close(file);
  return empty;
}

/* Its process waits for somebody who reads a byte from the fifo. */
static bool start(const struct container *container) {
  char path[PATH_SIZE + 16];
  snprintf(path, sizeof path, "%s/exec.fifo", container->dir);
  if (!lives(container)) return false;
  const int fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fifo < 0) return false;
  struct pollfd wait = {.fd = fifo, .events = POLLIN};
  char byte;
  for (;;) {
    const int ready = poll(&wait, 1, LOOK_MS);
    if (ready > 0 && (wait.revents & POLLIN) != 0) break;
    if (ready > 0 || (ready < 0 && errno != EINTR) || !lives(container)) return false;
  }
  if (read(fifo, &byte, 1) != 1) return false;
  return unlink(path) == 0;
}

static bool deliver(const struct container *container, const char *signal_text) {
  char *end;
  const long number = strtol(signal_text, &end, 10);
  if (*end != 0 || number <= 0) return false;
  return lives(container) && is_thawed(container) && kill(container->pid, (int)number) == 0;
}

/* Does what is asked; false: it is a matter for runc. */
static bool answer(int count, char **words) {
  static struct container container;
  const char *root = NULL;
  int at = 1;
  for (; at + 1 < count && words[at][0] == '-'; at += 2) {
    if (strcmp(words[at], "--root") == 0) root = words[at + 1];
    else if (strcmp(words[at], "--log") != 0 && strcmp(words[at], "--log-format") != 0) return false;
  }
  if (root == NULL || at + 1 >= count) return false;
  const char *command = words[at];
  const bool all = strcmp(words[at + 1], "--all") == 0;
  const bool force = strcmp(words[at + 1], "--force") == 0;
  const int first = at + (all || force ? 2 : 1), rest = count - first;
  const char *id = words[first];
  if (rest < 1 || *id == '-' || *id == '.' || *id == 0 || strchr(id, '/') != NULL) return false;
  if (strcmp(command, "delete") == 0 && force && rest == 1) {
    char dir[PATH_SIZE];
    struct stat about;
    snprintf(dir, sizeof dir, "%s/%s", root, id);
    return stat(dir, &about) != 0 && errno == ENOENT;
  }
  const bool starts = strcmp(command, "start") == 0 && rest == 1 && !all && !force;
  const bool kills = strcmp(command, "kill") == 0 && rest == 2 && !force;
  if ((!starts && !kills) || !read_container(root, id, &container)) return false;
  if (starts) return start(&container);
  return all ? !lives(&container) && is_empty(&container) : deliver(&container, words[first + 1]);
}

int main(int count, char **words) {
  // Who waits to be told of a start is told by runc.
  if (getenv("NOTIFY_SOCKET") == NULL && answer(count, words)) return 0;
  char runc[PATH_SIZE];
  const ssize_t length = readlink("/proc/self/exe", runc, sizeof runc - 8);
  char *slash = length < 0 ? NULL : memrchr(runc, '/', (size_t)length);
  if (slash == NULL) return 127;
  strcpy(slash + 1, "runc");
  execv(runc, words);
  fprintf(stderr, "cannot run %s: %s\n", runc, strerror(errno));
  return 127;
}
