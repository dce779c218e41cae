/* companion.h: the messages between a companion program and Python (spe_lab/core/sampling/companion.py).
 *
 * A companion program is a process of its own: a server, a peer, or something that may crash. It is started by guard.c, which
 * sets its limits and ends it. Its working directory is a private folder, which is removed with all that lies in it. Keep
 * sockets, files and shared memory (a file that is mapped) there: names elsewhere (shm_open, sem_open) would survive.
 *
 *     int main(void)
 *     {
 *         struct companion_message asked;
 *         companion_ready();
 *         while (companion_receive(&asked))           // false: Python is gone, or wants no more
 *             companion_answer(COMPANION_DONE, asked.values[0] + 1, 0);
 *         return 0;
 *     }
 *
 * Messages go through descriptor COMPANION_CHANNEL, one answer for each request. What is printed is shown to the reader if
 * the program fails. A program that also waits for other descriptors adds COMPANION_CHANNEL to those of poll().
 */
#ifndef SPE_COMPANION_H
#define SPE_COMPANION_H

#include "spe.h"

#include <errno.h>
#include <unistd.h>

enum { COMPANION_CHANNEL = 3, COMPANION_VALUES = 7, COMPANION_MAGIC = 0x43455053 };

enum companion_kind {
    COMPANION_READY = 1,    /* the first message, from the program; value 0: its process number */
    COMPANION_DONE = 2,     /* an answer */
    COMPANION_REFUSED = 3,  /* the answer to a request that the program does not know, or whose values it refuses */
    COMPANION_OWN = 16      /* from here on: requests, which each program defines */
};

struct companion_message {
    uint32_t magic;         /* COMPANION_MAGIC */
    int32_t kind;
    int64_t values[COMPANION_VALUES];
};

/* Waits for a request. False once Python has closed the channel, as it also does when it is killed. */
static inline int companion_receive(struct companion_message *message)
{
    char *bytes = (char *)message;
    for (size_t have = 0; have < sizeof *message;) {
        ssize_t n = read(COMPANION_CHANNEL, bytes + have, sizeof *message - have);
        if (n == 0 || (n < 0 && errno != EINTR))
            return 0;
        have += n > 0 ? (size_t)n : 0;
    }
    return message->magic == COMPANION_MAGIC;
}

static inline void companion_answer(int32_t kind, int64_t first, int64_t second)
{
    struct companion_message message = { COMPANION_MAGIC, kind, { first, second } };
    const char *bytes = (const char *)&message;
    for (size_t done = 0; done < sizeof message;) {
        ssize_t n = write(COMPANION_CHANNEL, bytes + done, sizeof message - done);
        if (n < 0 && errno != EINTR)
            return;         /* Python is gone: the next companion_receive returns 0 */
        done += n > 0 ? (size_t)n : 0;
    }
}

static inline void companion_ready(void) { companion_answer(COMPANION_READY, getpid(), 0); }

#endif
