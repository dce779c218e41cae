/* echo.c: a service that works for as long as a request asks, and sends it back.
 *
 * One thread serves all connections to the Unix socket "service", first come, first served, as far as poll() tells.
 */
#include "companion.h"
#include "gate.h"
#include "load.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum echo_request {
    ECHO_COUNTS = COMPANION_OWN     /* answered with requests served and connections open */
};
enum { ECHO_CONNECTIONS = 16, ECHO_CHANNEL = 0, ECHO_LISTENER, ECHO_FIRST };

static struct pollfd on[ECHO_FIRST + ECHO_CONNECTIONS];
static unsigned char waiting[ECHO_CONNECTIONS][LOAD_MOST_BYTES];
static uint32_t received[ECHO_CONNECTIONS];     /* bytes in waiting[] */
static int64_t served;

static int listen_at(const char *name)
{
    struct sockaddr_un address;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name, strlen(name) + 1);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, ECHO_CONNECTIONS) != 0) {
        perror("echo: no socket");
        return -1;
    }
    return listener;
}

static void work(uint32_t service_ns)
{
    int64_t until = spe_clock() + service_ns;
    while (service_ns > 0 && spe_clock() < until)
        spe_relax();
}

static int send_all(int to, const unsigned char *bytes, uint32_t n)
{
    for (ssize_t sent; n > 0; bytes += sent, n -= (uint32_t)sent)
        if ((sent = send(to, bytes, n, 0)) <= 0)
            return 0;
    return 1;
}

/* Takes what has come and answers the requests that are complete. False when the client is gone, or sent no request. */
static int serve(int connection, unsigned char *bytes, uint32_t *have)
{
    struct load_request head;
    ssize_t n = recv(connection, bytes + *have, LOAD_MOST_BYTES - *have, 0);
    if (n <= 0)
        return 0;
    *have += (uint32_t)n;
    uint32_t done = 0;
    while (*have - done >= sizeof head) {
        memcpy(&head, bytes + done, sizeof head);
        if (head.bytes < sizeof head || head.bytes > LOAD_MOST_BYTES)
            return 0;
        if (*have - done < head.bytes)
            break;
        work(head.service_ns);
        if (!send_all(connection, bytes + done, head.bytes))
            return 0;
        served++;
        done += head.bytes;
    }
    *have -= done;
    memmove(bytes, bytes + done, *have);
    return 1;
}

static void accept_one(void)
{
    int connection = accept(on[ECHO_LISTENER].fd, NULL, NULL);
    for (int i = 0; i < ECHO_CONNECTIONS && connection >= 0; i++)
        if (on[ECHO_FIRST + i].fd < 0) {
            on[ECHO_FIRST + i].fd = connection;
            received[i] = 0;
            return;
        }
    close(connection);      /* one too many: its client finds it closed */
}

static int64_t connections(void)
{
    int64_t open = 0;
    for (int i = 0; i < ECHO_CONNECTIONS; i++)
        open += on[ECHO_FIRST + i].fd >= 0;
    return open;
}

int main(void)
{
    struct companion_message asked;
    signal(SIGPIPE, SIG_IGN);       /* a client that is gone is no reason to end */
    for (int i = 0; i < ECHO_FIRST + ECHO_CONNECTIONS; i++)
        on[i] = (struct pollfd){ -1, POLLIN, 0 };
    on[ECHO_CHANNEL].fd = COMPANION_CHANNEL;
    if ((on[ECHO_LISTENER].fd = listen_at("service")) < 0)
        return 1;
    companion_ready();
    while (poll(on, ECHO_FIRST + ECHO_CONNECTIONS, -1) > 0) {
        if (on[ECHO_CHANNEL].revents) {
            if (!companion_receive(&asked))
                return 0;
            companion_answer(asked.kind == ECHO_COUNTS ? COMPANION_DONE : COMPANION_REFUSED, served, connections());
        }
        if (on[ECHO_LISTENER].revents)
            accept_one();
        for (int i = 0; i < ECHO_CONNECTIONS; i++)
            if (on[ECHO_FIRST + i].fd >= 0 && on[ECHO_FIRST + i].revents && !serve(on[ECHO_FIRST + i].fd, waiting[i], &received[i])) {
                close(on[ECHO_FIRST + i].fd);
                on[ECHO_FIRST + i].fd = -1;
            }
    }
    return 1;
}
