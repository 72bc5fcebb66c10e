// The tracepoints of peer.c, in the form that LTTng-UST's headers read several times.

#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER hotprobe_peer

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./events.h"

#if !defined(EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define EVENTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	hotprobe_peer, number,
	LTTNG_UST_TP_ARGS(uint64_t, x),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, x, x)))

LTTNG_UST_TRACEPOINT_EVENT(
	hotprobe_peer, text,
	LTTNG_UST_TP_ARGS(const char *, text),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_string(text, text)))

// No session enables it: it has the probe that this program registers, or none.
LTTNG_UST_TRACEPOINT_EVENT(
	hotprobe_peer, unrecorded,
	LTTNG_UST_TP_ARGS(uint64_t, x),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, x, x)))

#endif

#include <lttng/tracepoint-event.h>
