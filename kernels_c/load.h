/* load.h: the requests that load.c sends, for the programs that answer them. */
#ifndef SPE_LOAD_H
#define SPE_LOAD_H

#include "spe.h"

enum { LOAD_MOST_BYTES = 262144 };      /* of a request */

/* The head of a request. Any bytes follow, `bytes` in all. The answer is the unchanged request. */
struct load_request {
    uint32_t bytes;         /* this head included */
    uint32_t service_ns;    /* time that the service should work on it */
    uint64_t number;        /* counted from 0 */
};

#endif
