/* load.c: sends requests to a service in another process, and times them where they are sent and received.
 *
 * The socket may be of any kind that is a stream: a Unix socket, TCP over the loopback interface. Answers come in the order of
 * the requests. Only the client's side is timed; the time of a request covers four system calls, two copies in and out of
 * the kernel, and the wake-ups of both sides.
 */
#include "load.h"
#include "team.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum load_status {
    LOAD_BROKEN = -16,      /* the service closed the connection, or answered what was not asked */
    LOAD_LATE = -17         /* no answer within the limit */
};
enum { LOAD_LOOK_NS = 50000000 };       /* between two looks at the cancel flag */

struct load {
    int32_t socket;         /* connected to the service, and blocking */
    int32_t cpu;            /* that the client is kept on; -1: any */
    uint32_t bytes;         /* of a request: sizeof(struct load_request) … LOAD_MOST_BYTES */
    int64_t limit_ns;       /* for an answer, from when it was due or the one before it came */
    void *buffer;           /* 2 · bytes, the caller's: a request and an answer */
};

struct load_record {        /* one request */
    int64_t due_ns;         /* open loop: when it was to be sent, decided beforehand; closed loop: as sent_ns */
    int64_t sent_ns;        /* just before it was handed to the system */
    int64_t received_ns;    /* the last byte of its answer */
};

struct load_traffic {       /* what sender and receiver share */
    const struct load *load;
    const uint32_t *service_ns;
    int64_t n;
    struct load_record *records;
    spe_cancel cancel;
    _Atomic int32_t status; /* SPE_OK until one of them fails */
};

/* Sends and receives return after a while although nothing came, so that the cancel flag is looked at. */
static int32_t load_check(const struct load *load, int64_t n)
{
    const struct timeval look = { 0, LOAD_LOOK_NS / 1000 };
    if (n < 0 || load->bytes < sizeof(struct load_request) || load->bytes > LOAD_MOST_BYTES || load->limit_ns < 0)
        return SPE_BAD_ARGUMENT;
    if (setsockopt(load->socket, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look) != 0 ||
        setsockopt(load->socket, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look) != 0)
        return SPE_BAD_ARGUMENT;
    memset(load->buffer, 0, 2 * (size_t)load->bytes);
    return SPE_OK;
}

/* Whether to go on after a system call that moved nothing, until the moment `until`. */
static int32_t load_patience(const struct load_traffic *traffic, ssize_t moved, int64_t until)
{
    if (moved == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        return LOAD_BROKEN;
    if (*traffic->cancel)
        return SPE_CANCELLED;
    return spe_clock() > until ? LOAD_LATE : atomic_load(&traffic->status);
}

static int32_t load_send(struct load_traffic *traffic, int64_t i)
{
    const struct load *load = traffic->load;
    const struct load_request head = { load->bytes, traffic->service_ns[i], (uint64_t)i };
    const char *request = load->buffer;
    int32_t status = SPE_OK;
    memcpy(load->buffer, &head, sizeof head);
    traffic->records[i].sent_ns = spe_clock();
    for (uint32_t done = 0; done < load->bytes && status == SPE_OK;) {
        ssize_t n = send(load->socket, request + done, load->bytes - done, 0);  /* Python ignores SIGPIPE */
        if (n > 0)
            done += (uint32_t)n;
        else
            status = load_patience(traffic, n, INT64_MAX);      /* a full socket: the receiver will find it late */
    }
    return status;
}

static int32_t load_receive(struct load_traffic *traffic, int64_t i, int64_t until)
{
    const struct load *load = traffic->load;
    char *answer = (char *)load->buffer + load->bytes;
    struct load_request head;
    int32_t status = SPE_OK;
    for (uint32_t have = 0; have < load->bytes && status == SPE_OK;) {
        ssize_t n = recv(load->socket, answer + have, load->bytes - have, 0);
        if (n > 0)
            have += (uint32_t)n;
        else
            status = load_patience(traffic, n, until);
    }
    if (status != SPE_OK)
        return status;
    traffic->records[i].received_ns = spe_clock();
    memcpy(&head, answer, sizeof head);
    return head.bytes == load->bytes && head.number == (uint64_t)i ? SPE_OK : LOAD_BROKEN;
}

/* ---- Closed loop ----------------------------------------------------------------------------------------------------- */

/* Sends n requests, each when the answer to the one before has come; request i asks for service_ns[i] of work. Writes
 * records[0 … n) and what the gate is told of the client's thread.
 *
 * Isolates the round trip. A closed loop measures no waiting in line: while the service stands still, it sends nothing. */
int32_t load_closed(const struct load *load, const uint32_t *service_ns, int64_t n, struct load_record *records, struct team_record *thread, spe_cancel cancel)
{
    struct load_traffic traffic = { load, service_ns, n, records, cancel, SPE_OK };
    struct team team;
    int32_t status = load_check(load, n);
    if (status != SPE_OK || (status = team_open(&team, 1, &load->cpu, 1)) != SPE_OK)
        return status;
    team_watch(&team);
    thread->began_ns = spe_clock();
    for (int64_t i = 0; i < n && status == SPE_OK; i++) {
        if (*cancel)
            status = SPE_CANCELLED;
        else if ((status = load_send(&traffic, i)) == SPE_OK)
            status = load_receive(&traffic, i, records[i].sent_ns + load->limit_ns);
        records[i].due_ns = records[i].sent_ns;
    }
    const int64_t began = thread->began_ns, ended = spe_clock();
    team_report(&team, thread);
    thread->began_ns = began;
    thread->ended_ns = ended;
    team_close(&team);
    return status;
}

/* ---- Open loop --------------------------------------------------------------------------------------------------------- */

static int32_t load_wait(const struct load_traffic *traffic, int64_t due_ns)
{
    for (int64_t left = due_ns - spe_clock(); left > 0; left = due_ns - spe_clock()) {
        const struct timespec pause = { 0, left < LOAD_LOOK_NS ? left : LOAD_LOOK_NS };
        if (*traffic->cancel || atomic_load(&traffic->status) != SPE_OK)
            return SPE_CANCELLED;       /* or the receiver has failed, and said why */
        nanosleep(&pause, NULL);
    }
    return *traffic->cancel ? SPE_CANCELLED : SPE_OK;
}

/* Member 0 receives, member 1 sends: requests go out when they are due, whatever has come back. */
static void load_both(void *task, int32_t member)
{
    struct load_traffic *traffic = task;
    int32_t status = SPE_OK, none = SPE_OK;
    int64_t answered = 0;
    for (int64_t i = 0; i < traffic->n && status == SPE_OK; i++) {
        const int64_t due = traffic->records[i].due_ns;
        if (member == 1) {
            if ((status = load_wait(traffic, due)) == SPE_OK)
                status = load_send(traffic, i);
        } else if ((status = load_receive(traffic, i, (due > answered ? due : answered) + traffic->load->limit_ns)) == SPE_OK) {
            answered = traffic->records[i].received_ns;
        }
    }
    if (status != SPE_OK)
        atomic_compare_exchange_strong(&traffic->status, &none, status);
}

/* Sends request i at due_ns[i] after the start, in a thread of its own, while the caller receives. Writes records[0 … n) and
 * what the gate is told of both threads, the receiver first. due_ns must not fall.
 *
 * Latency counts from due_ns. A request that is late because an earlier one blocked the socket has waited, and says so:
 * there is no coordinated omission. What the sender itself is late by is sent_ns − due_ns, some 10 µs where a CPU is free. */
int32_t load_open(const struct load *load, const int64_t *due_ns, const uint32_t *service_ns, int64_t n, struct load_record *records,
                  struct team_record *threads, spe_cancel cancel)
{
    struct load_traffic traffic = { load, service_ns, n, records, cancel, SPE_OK };
    const int32_t cpus[] = { load->cpu, -1 };
    struct team team;
    int32_t status = load_check(load, n);
    for (int64_t i = 0; i < n && status == SPE_OK; i++)
        if (due_ns[i] < (i > 0 ? due_ns[i - 1] : 0))
            status = SPE_BAD_ARGUMENT;
    if (status != SPE_OK || (status = team_open(&team, 2, cpus, 1)) != SPE_OK)
        return status;
    team_watch(&team);
    const int64_t start = spe_clock();
    for (int64_t i = 0; i < n; i++)
        records[i].due_ns = start + due_ns[i];
    team_fork(&team, load_both, &traffic);
    team_report(&team, threads);
    team_close(&team);
    return atomic_load(&traffic.status);
}
