// <features.h> first, and no _GNU_SOURCE, as in every header that Swift imports beside Glibc's module (see CIOUring).
#pragma once
#include <features.h>
#include <stddef.h>
#include <stdint.h>
#include <nghttp2/nghttp2.h>

// Bounds that nghttp2 has of its own from 1.57 and 1.61 on, and in distributions' patched packages: weak, since others
// lack them. The one on CONTINUATION counts pieces of a frame's header, so that it depends on how bytes are split; the
// one on resets reads a clock. HTTP2Protocol's FloodGuard has both.
void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t count) __attribute__((weak));
void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *option, uint64_t burst, uint64_t rate)
    __attribute__((weak));

static inline void ringcast_nghttp2_lift_bounds(nghttp2_option *option) {
    if (nghttp2_option_set_max_continuations) nghttp2_option_set_max_continuations(option, SIZE_MAX);
    if (nghttp2_option_set_stream_reset_rate_limit)
        nghttp2_option_set_stream_reset_rate_limit(option, UINT64_C(1) << 40, UINT64_C(1) << 20);
}
