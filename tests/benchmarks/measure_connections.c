/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long it takes until the record of a refused connection can be read. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "policy/scope.h"

enum {
        HTTPS = 443
};

/* Connects to TO as UID, which must be refused: by the caller's programs, or by the packet filter. 0 or
 * -errno. */
static int be_refused(const struct in_addr *to, uid_t uid) {
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(HTTPS), .sin_addr = *to};
        int r, error;

        if (fd < 0)
                return -errno;
        (void)setfsuid(uid);
        r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
        error = errno;
        (void)setfsuid(0);
        if (r == 0)
                return -EISCONN;
        return error == EPERM || error == ECONNREFUSED || error == EACCES ? 0 : -error;
}

int measure_unreachable(long count, const char *first, long uid) {
        CLEANUP_JOURNAL sd_journal *journal = NULL;
        struct in_addr address;
        int r = open_journal(&journal);

        if (r < 0)
                return failed("journal", r);
        if (inet_pton(AF_INET, first, &address) != 1)
                return failed(first, EINVAL);
        for (long i = 0; i < count; i++) {
                struct in_addr to = {.s_addr = htonl(ntohl(address.s_addr) + (uint32_t)i)};
                char text[INET_ADDRSTRLEN];
                int64_t start = now_ns();

                r = be_refused(&to, (uid_t)uid);
                if (r == 0)
                        r = await_record(journal, "SEKISHO_DESTINATION",
                                         inet_ntop(AF_INET, &to, text, sizeof(text)), deadline_ns());
                if (r < 0)
                        return failed(first, r);
                printf("%" PRId64 "\n", now_ns() - start);
        }
        return EXIT_SUCCESS;
}
