/* As much JSON as a network configuration needs: a check of the whole text, and ways to single values in it. */
#include <stdio.h>
#include <string.h>
#include "json.h"

#define MAX_DEPTH 64

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Behind the string that starts at `at`; NULL when it does not end. */
static const char *skip_string(const char *at) {
  for (at++; *at != '"'; at++) {
    if ((unsigned char)*at < 0x20) return NULL;
    if (*at == '\\' && (*++at == 0 || strchr("\"\\/bfnrtu", *at) == NULL)) return NULL;
  }
  return at + 1;
}

/* Behind the value that starts at `at`; NULL when there is none. */
static const char *skip_value(const char *at, int depth) {
  if (at == NULL || depth > MAX_DEPTH) return NULL;
  if (*at == '"') return skip_string(at);
  if (*at != '{' && *at != '[') {
    for (const char *const *word = (const char *const[]){"true", "false", "null", NULL}; *word != NULL; word++)
      if (strncmp(at, *word, strlen(*word)) == 0) return at + strlen(*word);
    size_t digits = strspn(at, "+-.0123456789eE");
    return digits == 0 ? NULL : at + digits;
  }
  const bool object = *at == '{';
  const char end = object ? '}' : ']';
  at = skip_space(at + 1);
  if (*at == end) return at + 1;
  for (;;) {
    if (object) {
      if (*at != '"' || (at = skip_string(at)) == NULL) return NULL;
      at = skip_space(at);
      if (*at++ != ':') return NULL;
      at = skip_space(at);
    }
    if ((at = skip_value(at, depth + 1)) == NULL) return NULL;
    at = skip_space(at);
    if (*at == end) return at + 1;
    if (*at++ != ',') return NULL;
    at = skip_space(at);
  }
}

bool json_valid(const char *text) {
  const char *end = skip_value(skip_space(text), 0);
  return end != NULL && *skip_space(end) == 0;
}

size_t json_length(const char *value) { return (size_t)(skip_value(value, 0) - value); }

const char *json_member(const char *object, const char *name) {
  if (object == NULL) return NULL;
  const char *at = skip_space(object);
  if (*at != '{') return NULL;
  const size_t length = strlen(name);
  for (at = skip_space(at + 1); *at == '"';) {
    const char *key = at + 1;
    const char *behind = skip_string(at);
    at = skip_space(skip_space(behind) + 1);
    if ((size_t)(behind - 1 - key) == length && memcmp(key, name, length) == 0) return at;
    at = skip_space(skip_value(at, 0));
    if (*at == ',') at = skip_space(at + 1);
  }
  return NULL;
}

const char *json_element(const char *array, int place) {
  if (array == NULL || *array != '[') return NULL;
  const char *at = skip_space(array + 1);
  for (; *at != ']'; place--) {
    if (place == 0) return at;
    at = skip_space(skip_value(at, 0));
    if (*at == ',') at = skip_space(at + 1);
  }
  return NULL;
}

bool json_string(const char *value, char *to, size_t size) {
  if (value == NULL || *value != '"') return false;
  const size_t length = json_length(value) - 2;
  if (length >= size || memchr(value + 1, '\\', length) != NULL) return false;
  memcpy(to, value + 1, length);
  to[length] = 0;
  return true;
}

void print_json_string(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    if (*text == '"' || *text == '\\') printf("\\%c", *text);
    else if ((unsigned char)*text < 0x20) printf("\\u%04x", *text);
    else putchar(*text);
  }
  putchar('"');
}
