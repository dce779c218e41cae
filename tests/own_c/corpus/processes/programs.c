/* Other programs, started from C. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int shell(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int output_of(const char *command, char *into, int room)
{
    FILE *pipe = popen(command, "r");
    int length = 0;
    for (int c; (c = fgetc(pipe)) != EOF && length < room;)
        into[length++] = (char)c;
    pclose(pipe);
    return length;
}

int run(void)
{
    int status;
    if (fork() == 0) {
        execl("/bin/echo", "echo", "from", "echo", (char *)NULL);
        _exit(127);
    }
    wait(&status);
    return WEXITSTATUS(status);
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    char into[12] = "............";
    show_int(shell("exit 3"));
    show_int(shell("echo said by a shell"));
    show_int(output_of("printf 'a\\377b'", into, 12));
    show_bytes(into, 12);
    show_int(run());
}
#endif
