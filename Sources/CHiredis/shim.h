// hiredis' reader and formatter of RESP, without its sockets.
//
// <features.h> first, and no _GNU_SOURCE, as in every header that Swift imports beside Glibc's module (see CIOUring).
#pragma once
#include <features.h>
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
