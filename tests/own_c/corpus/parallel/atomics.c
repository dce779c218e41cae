#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

atomic_int counter;
static _Atomic(double) sum;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static long guarded;

struct slot {
    _Atomic unsigned short state;
    atomic_bool ready;
    _Atomic(long long) value;
};

static void *work(void *times)
{
    for (int i = 0; i < *(int *)times; i++) {
        atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
        double before = atomic_load(&sum);
        while (!atomic_compare_exchange_weak(&sum, &before, before + 0.5))
            ;
        while (atomic_flag_test_and_set(&spin))
            ;
        guarded -= 2;
        atomic_flag_clear(&spin);
    }
    return NULL;
}

int run(int threads, int times)
{
    pthread_t ids[4];
    for (int t = 0; t < threads; t++)
        pthread_create(&ids[t], NULL, work, &times);
    for (int t = 0; t < threads; t++)
        pthread_join(ids[t], NULL);
    return counter;
}

double total(void) { return sum; }
long hidden(void) { return guarded; }

bool publish(struct slot *s, long long value)
{
    unsigned short expected = 3;
    s->value = value;
    s->ready = true;
    return atomic_compare_exchange_strong(&s->state, &expected, 65535);
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct slot s = {3, false, 0};
    show_int(run(3, 200));
    show_real(total());
    show_int(hidden());
    show_bool(publish(&s, -(1LL << 40)));
    show_uint(s.state);
    show_bool(s.ready);
    show_int(s.value);
    show_bool(publish(&s, 5));
}
#endif
