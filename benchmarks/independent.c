/* independent.c: latency and bandwidth by another route than the library's, to compare with it.
 *
 * Standalone, and different on purpose: Sattolo's shuffle of the links in place (not a shuffled list), sizes one after the other
 * (not in turns), long runs and the best of several (not a low quantile of short ones). Links are addresses, as in the library: with
 * indices each load would cost a cycle more.
 *
 *     cc -O2 independent.c -o independent && ./independent 16384 131072 67108864
 *
 * prints one line a size: bytes, ns for a dependent load, GB/s of a sum in order.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { STEP = 64 / sizeof(void *) };  /* words from node to node: one line */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void sattolo(void **next, size_t nodes)
{
    for (size_t i = 0; i < nodes; i++)
        next[i * STEP] = &next[i * STEP];
    for (size_t i = nodes - 1; i > 0; i--) {
        size_t j = (size_t)(((uint64_t)(uint32_t)random() << 1) * i >> 32);
        void *swapped = next[i * STEP];
        next[i * STEP] = next[j * STEP];
        next[j * STEP] = swapped;
    }
}

int main(int count, char **sizes)
{
    for (int k = 1; k < count; k++) {
        size_t bytes = strtoull(sizes[k], NULL, 10), huge = 2u << 20;
        size_t rounded = (bytes + huge - 1) / huge * huge;
        void **memory = aligned_alloc(huge, rounded);
        if (memory == NULL)
            return 1;
#if defined(MADV_HUGEPAGE)
        madvise(memory, rounded, MADV_HUGEPAGE);
#endif
        sattolo(memory, bytes / 64);
        double latency = 1e9, bandwidth = 0;
        uint64_t sum = 0;
        for (int repeat = 0; repeat < 7; repeat++) {
            uint64_t steps = bytes / 64 > 2000000 ? bytes / 64 : 2000000;
            void **at = memory;
            double began = seconds();
            for (uint64_t i = 0; i < steps; i++)
                at = *at;
            double each = (seconds() - began) / (double)steps * 1e9;
            sum += (uintptr_t)at;
            if (repeat > 0 && each < latency)
                latency = each;
            uint64_t laps = (256u << 20) / bytes + 1;
            began = seconds();
            for (uint64_t lap = 0; lap < laps; lap++) {
                const uint64_t *words = (const uint64_t *)memory;
                uint64_t a = lap, b = 0, c = 0, d = 0;
                for (size_t i = 0; i < bytes / 8; i += 4) {
                    a += words[i];
                    b += words[i + 1];
                    c += words[i + 2];
                    d += words[i + 3];
                }
                sum += a + b + c + d;
            }
            double rate = (double)(laps * bytes) / (seconds() - began) / 1e9;
            if (rate > bandwidth)
                bandwidth = rate;
        }
        printf("%zu %.4f %.3f %u\n", bytes, latency, bandwidth, (unsigned)(sum & 1));
        free(memory);
    }
    return 0;
}
