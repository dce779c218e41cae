#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define MOST 8

struct part {
    const double *x;
    long from, to;
    double sum;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
pthread_once_t once = PTHREAD_ONCE_INIT;
static long total;
static int turn, starts;

static void *add_up(void *argument)
{
    struct part *p = argument;
    p->sum = 0;
    for (long i = p->from; i < p->to; i++)
        p->sum += p->x[i];
    return NULL;
}

double parallel_sum(const double *x, long n, int threads)
{
    pthread_t ids[MOST];
    struct part parts[MOST];
    double sum = 0;
    for (int t = 0; t < threads; t++) {
        parts[t] = (struct part){x, n * t / threads, n * (t + 1) / threads, 0};
        pthread_create(&ids[t], NULL, add_up, &parts[t]);
    }
    for (int t = 0; t < threads; t++) {
        pthread_join(ids[t], NULL);
        sum += parts[t].sum;
    }
    return sum;
}

static void *count(void *argument)
{
    for (long i = (long)(intptr_t)argument; i > 0; i--) {
        pthread_mutex_lock(&lock);
        total += 3;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

long counted(int threads, long times)
{
    pthread_t ids[MOST];
    for (int t = 0; t < threads; t++)
        pthread_create(&ids[t], NULL, count, (void *)(intptr_t)times);
    for (int t = 0; t < threads; t++)
        pthread_join(ids[t], NULL);
    return total;
}

static void *answer(void *argument)
{
    pthread_mutex_lock(&lock);
    while (turn == 0)
        pthread_cond_wait(&changed, &lock);
    *(int *)argument *= turn;
    turn = 0;
    pthread_mutex_unlock(&lock);
    return argument;
}

static void start(void) { starts++; }

int ping_pong(int value, int by)
{
    pthread_t id;
    pthread_once(&once, start);
    pthread_create(&id, NULL, answer, &value);
    pthread_mutex_lock(&lock);
    turn = by;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(id, NULL);
    return value + starts;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double x[7] = {0.1, -2, 3, 1e10, 5, -6.25, 7};
    show_real(parallel_sum(x, 7, 3));
    show_int(counted(4, 1000));
    show_int(counted(2, 5));
    show_int(ping_pong(-7, 300));
    show_int(ping_pong(5, 2));
}
#endif
