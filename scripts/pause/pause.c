/* The first process of a pod sandbox: holds the namespaces and reaps orphans until it is told to end. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_end(int signal) { (void)signal; _exit(0); }

static void on_child(int signal) {
  (void)signal;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction end = {.sa_handler = on_end};
  struct sigaction child = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
  if (sigaction(SIGINT, &end, 0) || sigaction(SIGTERM, &end, 0) || sigaction(SIGCHLD, &child, 0)) return 1;
  for (;;) pause();
}
