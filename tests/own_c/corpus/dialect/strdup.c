#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int lines(const char *text)
{
    char *copy = strdup(text), *rest = NULL;
    int count = 0;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        count += strncasecmp(line, "error", 5) == 0 ? 100 : 1;
    free(copy);
    return count;
}

int read_lines(char *text, size_t size)
{
    FILE *memory = fmemopen(text, size, "r");
    char *line = NULL;
    size_t room = 0;
    int longest = -1;
    for (ssize_t n; (n = getline(&line, &room, memory)) > 0;)
        longest = (int)n > longest ? (int)n : longest;
    free(line);
    fclose(memory);
    return longest;
}

size_t limited(const char *text, size_t most) { return strnlen(text, most); }

long fields(char *line)
{
    long sum = 0;
    for (char *field; (field = strsep(&line, ";"));)
        sum = sum * 100 + atol(field);
    return sum;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    char text[] = "one\nthree and more\nfour", line[] = "7;-3;12;";
    show_int(lines("ok\n\nERROR here\nfine\nError"));
    show_int(read_lines(text, strlen(text)));
    show_uint(limited("abcdef", 4));
    show_int(fields(line));
    show_bytes(line, sizeof line);
}
#endif
