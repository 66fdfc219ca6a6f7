/* Errors as the CNI specification has them: an object on standard output and exit code 1. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "plugin.h"

static char config_version[16] = "1.0.0";
static void (*failure_undo)(void);

void set_version(const char *text) { snprintf(config_version, sizeof config_version, "%s", text); }

const char *version(void) { return config_version; }

void on_failure(void (*undo)(void)) { failure_undo = undo; }

void fail(int code, const char *format, ...) {
  char message[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  void (*undo)(void) = failure_undo;
  failure_undo = NULL;
  if (undo != NULL) undo();
  printf("{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":", config_version, code);
  print_json_string(message);
  puts("}");
  exit(1);
}
