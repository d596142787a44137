/* A "scheduler" that writes on the console what it is told, as if the kernel had, and ends; with a second
 * argument, without end. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char* path, const char* text) {
  int file = open(path, O_WRONLY | O_NOCTTY);
  if (file < 0 || write(file, text, strlen(text)) < 0) perror(path);
  close(file);
}

int main(int count, char** words) {
  if (count < 2) return 2;
  char line[512];
  do {
    snprintf(line, sizeof line, "%s\n", words[1]);
    say("/dev/console", line);
    snprintf(line, sizeof line, "<0>%s\n", words[1]);
    say("/dev/kmsg", line);
  } while (count > 2);
  puts("said it");
  return 1;
}
