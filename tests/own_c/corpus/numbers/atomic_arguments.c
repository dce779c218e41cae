#include <stdatomic.h>
#include <stdint.h>

_Atomic int shared = 5;
atomic_ullong ticket = 1ull << 40;
static atomic_flag busy = ATOMIC_FLAG_INIT;

int add(_Atomic int by) { return atomic_fetch_add(&shared, by) + by; }

unsigned long long next_ticket(void) { return atomic_fetch_add(&ticket, 1); }

void count(_Atomic uint32_t *counter, int times)
{
    for (int i = 0; i < times; i++)
        atomic_fetch_add_explicit(counter, 3, memory_order_relaxed);
}

_Bool try_lock(void) { return !atomic_flag_test_and_set(&busy); }

void unlock(void) { atomic_flag_clear(&busy); }

int64_t exchange(_Atomic int64_t *cell, int64_t value) { return atomic_exchange(cell, value); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    _Atomic uint32_t counter = 4294967290u;
    _Atomic int64_t cell = -(1LL << 40);
    show_int(add(-7));
    show_int(add(100));
    show_uint(next_ticket());
    show_uint(next_ticket());
    count(&counter, 3);
    show_uint(counter);
    show_bool(try_lock());
    show_bool(try_lock());
    unlock();
    show_bool(try_lock());
    show_int(exchange(&cell, 12));
    show_int(cell);
}
#endif
