#ifndef JSON_H
#define JSON_H
#include <stdbool.h>
#include <stddef.h>

/* Values are pointers into a text that was checked before. */
bool json_valid(const char *text);
const char *json_member(const char *object, const char *name);
/* The element of an array at a place; NULL behind the last. */
const char *json_element(const char *array, int place);
/* Copies a string without escapes; false when it is something else or does not fit. */
bool json_string(const char *value, char *to, size_t size);
/* The number of bytes of a value. */
size_t json_length(const char *value);
void print_json_string(const char *text);

#endif
