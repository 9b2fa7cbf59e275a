/* Monotonic time, and a histogram of latencies with a resolution of 1.6 %. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { STEPS = 64, STEP_BITS = 6, BUCKETS = (64 - STEP_BITS + 1) * STEPS };

typedef struct {
    uint64_t count, longest;
    uint64_t buckets[BUCKETS];
} histogram;

/* The same clock for all processes of a machine: a time written by the load generator means something to the sink. */
static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* 64 buckets for each power of two: linear below 64, then the six bits behind the leading one. */
static inline unsigned bucket_of(uint64_t ns) {
    if (ns < STEPS) return (unsigned)ns;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(ns);
    return (exponent - STEP_BITS + 1) * STEPS + (unsigned)((ns >> (exponent - STEP_BITS)) & (STEPS - 1));
}

static inline uint64_t lowest_of(unsigned bucket) {
    if (bucket < STEPS) return bucket;
    unsigned exponent = bucket / STEPS + STEP_BITS - 1;
    return (1ull << exponent) | ((uint64_t)(bucket % STEPS) << (exponent - STEP_BITS));
}

static inline void note(histogram *h, uint64_t ns) {
    h->count++;
    h->buckets[bucket_of(ns)]++;
    if (ns > h->longest) h->longest = ns;
}

static inline double percentile_ms(const histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        seen += h->buckets[b];
        if (seen > wanted) return (double)lowest_of(b) / 1e6;
    }
    return (double)h->longest / 1e6;
}

static inline void print_latencies(const histogram *h) {
    printf("\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f", percentile_ms(h, 0.50),
           percentile_ms(h, 0.90), percentile_ms(h, 0.99), percentile_ms(h, 0.999), (double)h->longest / 1e6);
}

#endif
