// LTTng-UST's share of the benches: what its tracepoints cost, measured as the subjects in Rust
// are. benches/src/lttng.rs compiles and runs it. Prints the nanoseconds of one operation for each
// slice, one to a line.
//
// Usage: peer off|noop|change           one slice is about 0.1 ms
//        peer number|text hot           slices of 4096 records, one after the other
//        peer number|text paced         batches of 1000, with 1 ms of sleep between them
//
// (With -D_LGPL_SOURCE, liburcu's read side is inlined, as programs under that licence may do.)

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 200, SLICE = 4096, BATCH = 1000 };

static const char *volatile opaque_text = "0123456789abcdef0123456789abcdef";
static volatile uint64_t opaque_start;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

__attribute__((noinline)) static void numbers(long n)
{
	uint64_t start = opaque_start;
	for (long i = 0; i < n; i++)
		lttng_ust_tracepoint(hotprobe_peer, number, start + i);
}

__attribute__((noinline)) static void texts(long n)
{
	const char *text = opaque_text;
	for (long i = 0; i < n; i++) {
		// The compiler cannot take the length out of the loop.
		__asm__ volatile("" : "+r"(text));
		lttng_ust_tracepoint(hotprobe_peer, text, text);
	}
}

__attribute__((noinline)) static void unrecorded(long n)
{
	uint64_t start = opaque_start;
	for (long i = 0; i < n; i++)
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, start + i);
}

__attribute__((noinline)) static void eight_unrecorded(long n)
{
	uint64_t start = opaque_start;
	for (long i = 0; i < n; i++) {
		uint64_t x = start + i;
		__asm__ volatile("" : "+r"(x));
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
		lttng_ust_tracepoint(hotprobe_peer, unrecorded, x);
	}
}

static void nothing(void *data, uint64_t x)
{
	(void)data;
	(void)x;
}

static void attach(void)
{
	if (lttng_ust_tracepoint_provider_register(
		    "hotprobe_peer", "unrecorded", (void (*)(void))nothing, NULL,
		    lttng_ust_tracepoint_hotprobe_peer___unrecorded.signature))
		abort();
}

static void detach(void)
{
	if (lttng_ust_tracepoint_provider_unregister(
		    "hotprobe_peer", "unrecorded", (void (*)(void))nothing, NULL))
		abort();
}

static void changes(long n)
{
	for (long i = 0; i < n; i++) {
		attach();
		detach();
	}
}

// Slices of 0.1 ms, `per_iteration` operations in each iteration.
static void slices(void (*run)(long), double per_iteration)
{
	long n = 16;
	for (;;) {
		double start = now();
		run(n);
		double time = now() - start;
		if (time >= 25e3) {
			n = n * 1e5 / time + 1;
			break;
		}
		n *= 2;
	}
	for (int round = 0; round < 2 * ROUNDS; round++) {
		double start = now();
		run(n);
		printf("%f\n", (now() - start) / n / per_iteration);
	}
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	const char *pace = count > 2 ? arguments[2] : "";
	if (!strcmp(what, "off")) {
		// It can be on.
		attach();
		detach();
		slices(eight_unrecorded, 8);
	} else if (!strcmp(what, "noop")) {
		attach();
		slices(unrecorded, 1);
	} else if (!strcmp(what, "change")) {
		slices(changes, 1);
	} else if (!strcmp(what, "number") || !strcmp(what, "text")) {
		void (*run)(long) = !strcmp(what, "number") ? numbers : texts;
		int paced = !strcmp(pace, "paced");
		long n = paced ? BATCH : SLICE;
		static double times[ROUNDS];
		for (int round = 0; round < ROUNDS; round++) {
			if (paced)
				nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
			double start = now();
			run(n);
			times[round] = (now() - start) / n;
		}
		for (int round = 0; round < ROUNDS; round++)
			printf("%f\n", times[round]);
	} else {
		fprintf(stderr, "usage: see the head of peer.c\n");
		return 2;
	}
	return 0;
}
