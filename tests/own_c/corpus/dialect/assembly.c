/* asm, as plain gcc has it, on x86-64. */
#include <stdint.h>

uint64_t multiply_high(uint64_t a, uint64_t b)
{
    uint64_t high, low;
    asm("mulq %3" : "=d"(high), "=a"(low) : "a"(a), "r"(b) : "cc");
    return high + (low & 1);
}

int leading_zeros(uint32_t x)
{
    uint32_t at;
    __asm__ volatile("bsrl %1, %0" : "=r"(at) : "r"(x));
    return 31 - (int)at;
}

uint32_t rotate(uint32_t x, uint8_t by)
{
    asm("roll %%cl, %0" : "+r"(x) : "c"(by));
    return x;
}

int barrier(int *p)
{
    *p += 1;
    asm volatile("" ::: "memory");
    return *p;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int x = -70001;
    show_uint(multiply_high(0xfedcba9876543211, 0x123456789abcdeff));
    show_int(leading_zeros(0x1234));
    show_uint(rotate(0x80000003, 5));
    show_int(barrier(&x));
}
#endif
