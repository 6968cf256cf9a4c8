/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/resolve.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "agent/clock.h"
#include "agent/network/remember.h"
#include "policy/scope.h"

enum {
        TRIES = 2,
        TIMEOUT_MSEC = 2000,
        SOCKETS_MAX = 64
};

#define SECOND UINT64_C(1000000)

typedef struct Entry {
        Resolver *resolver;
        char *name;
        Address addresses[RESOLVE_ADDRESSES_MAX];
        size_t n;
        uint64_t due; /* when to ask again */
        bool asked;   /* and not answered yet */
        bool failing, told;
} Entry;

typedef struct Socket {
        ares_socket_t fd;
        sd_event_source *source;
} Socket;

struct Resolver {
        sd_event *event;
        ResolverChanged changed;
        ResolverState state;
        void *userdata;
        ares_channel channel;
        bool has_channel;
        bool stopping;
        Socket sockets[SOCKETS_MAX];
        size_t n_sockets;
        sd_event_source *timer;
        Entry **entries; /* each its own, since a question points to it */
        size_t n_entries;
        NetworkName *names; /* made of the entries */
        char *servers;      /* as c-ares takes them */
        char *path;         /* of what is remembered */
        char *remembered;   /* what it was, NULL: it was not looked at yet */
};

static void ask_due(Resolver *resolver);
static void arm(Resolver *resolver);

/* sockets */

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Resolver *resolver = userdata;

        (void)source;
        ares_process_fd(resolver->channel, revents & (EPOLLIN | EPOLLERR | EPOLLHUP) ? fd : ARES_SOCKET_BAD,
                        revents & EPOLLOUT ? fd : ARES_SOCKET_BAD);
        arm(resolver);
        return 0;
}

/* c-ares opens and closes its sockets itself, and says here what it waits for. */
static void on_socket_state(void *userdata, ares_socket_t fd, int readable, int writable) {
        Resolver *resolver = userdata;
        uint32_t events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
        size_t i = 0;

        while (i < resolver->n_sockets && resolver->sockets[i].fd != fd)
                i++;
        if (i < resolver->n_sockets && events == 0) {
                sd_event_source_disable_unref(resolver->sockets[i].source);
                resolver->sockets[i] = resolver->sockets[--resolver->n_sockets];
        } else if (i < resolver->n_sockets)
                (void)sd_event_source_set_io_events(resolver->sockets[i].source, events);
        else if (events != 0 && resolver->n_sockets < SOCKETS_MAX) {
                Socket *added = &resolver->sockets[resolver->n_sockets];

                *added = (Socket){.fd = fd};
                if (sd_event_add_io(resolver->event, &added->source, fd, events, on_socket, resolver) >= 0)
                        resolver->n_sockets++; /* else it times out */
        }
}

/* time */

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Resolver *resolver = userdata;

        (void)source;
        (void)usec;
        if (resolver->has_channel)
                ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        ask_due(resolver);
        return 0;
}

/* For what c-ares waits for, or the first name that is due. */
static void arm(Resolver *resolver) {
        uint64_t now = clock_boottime_usec(), next = UINT64_MAX;
        struct timeval tv;

        for (size_t i = 0; i < resolver->n_entries; i++)
                if (!resolver->entries[i]->asked && resolver->entries[i]->due < next)
                        next = resolver->entries[i]->due;
        if (resolver->has_channel && ares_timeout(resolver->channel, NULL, &tv)) {
                uint64_t until = now + (uint64_t)tv.tv_sec * SECOND + (uint64_t)tv.tv_usec + 1000;

                next = until < next ? until : next;
        }
        resolver->timer = sd_event_source_disable_unref(resolver->timer);
        if (next != UINT64_MAX)
                (void)sd_event_add_time(resolver->event, &resolver->timer, CLOCK_BOOTTIME, next, 100000,
                                        on_time, resolver);
}

/* answers */

static int compare_addresses(const void *a, const void *b) {
        return memcmp(a, b, sizeof(Address));
}

/* The addresses of an answer in order. Returns the seconds it lives. */
static unsigned take_nodes(const struct ares_addrinfo *info, Address *addresses, size_t *n) {
        unsigned ttl = RESOLVE_TTL_MAX;

        *n = 0;
        for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
                Address address = {0};

                if (node->ai_family == AF_INET) {
                        const struct sockaddr_in *in = (const void *)node->ai_addr;

                        address.bits = 32;
                        memcpy(address.bytes, &in->sin_addr, 4);
                } else if (node->ai_family == AF_INET6) {
                        const struct sockaddr_in6 *in = (const void *)node->ai_addr;

                        address.bits = 128;
                        memcpy(address.bytes, &in->sin6_addr, 16);
                } else
                        continue;
                if (node->ai_ttl >= 0 && (unsigned)node->ai_ttl < ttl)
                        ttl = (unsigned)node->ai_ttl;
                if (*n < RESOLVE_ADDRESSES_MAX)
                        addresses[(*n)++] = address;
        }
        qsort(addresses, *n, sizeof(*addresses), compare_addresses);
        return ttl < RESOLVE_TTL_MIN ? RESOLVE_TTL_MIN : ttl;
}

static void fail(Entry *entry, const char *why) {
        Resolver *resolver = entry->resolver;

        entry->due = clock_boottime_usec() + RESOLVE_AGAIN * SECOND;
        if (!entry->failing || !entry->told)
                resolver->state(resolver->userdata, entry->name, why);
        entry->failing = entry->told = true;
}

/* For the next agent. */
static void remember(Resolver *resolver) {
        size_t n;
        const NetworkName *names = resolver_names(resolver, &n);
        int r = remember_write(resolver->path, names, n);

        if (r < 0)
                resolver->state(resolver->userdata, NULL, strerror(-r));
}

static void succeed(Entry *entry, const struct ares_addrinfo *info) {
        Resolver *resolver = entry->resolver;
        Address addresses[RESOLVE_ADDRESSES_MAX];
        size_t n;
        unsigned ttl;

        memset(addresses, 0, sizeof(addresses)); /* they are compared as bytes */
        ttl = take_nodes(info, addresses, &n);
        if (n == 0) {
                fail(entry, "no addresses");
                return;
        }
        entry->due = clock_boottime_usec() + ttl * SECOND;
        if (entry->failing)
                resolver->state(resolver->userdata, entry->name, NULL);
        entry->failing = entry->told = false;
        if (n == entry->n && memcmp(addresses, entry->addresses, n * sizeof(*addresses)) == 0)
                return;
        memcpy(entry->addresses, addresses, n * sizeof(*addresses));
        entry->n = n;
        remember(resolver);
        resolver->changed(resolver->userdata);
}

static void on_answer(void *userdata, int status, int timeouts, struct ares_addrinfo *info) {
        Entry *entry = userdata;

        (void)timeouts;
        entry->asked = false;
        if (!entry->resolver->stopping) {
                if (status == ARES_SUCCESS && info)
                        succeed(entry, info);
                else
                        fail(entry, ares_strerror(status));
        }
        if (info)
                ares_freeaddrinfo(info);
}

static void ask_due(Resolver *resolver) {
        const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
        uint64_t now = clock_boottime_usec();

        for (size_t i = 0; i < resolver->n_entries; i++) {
                Entry *entry = resolver->entries[i];

                if (entry->asked || entry->due > now)
                        continue;
                if (!resolver->has_channel) {
                        fail(entry, "the policy names no resolver");
                        continue;
                }
                entry->asked = true;
                ares_getaddrinfo(resolver->channel, entry->name, NULL, &hints, on_answer, entry);
        }
        arm(resolver);
}

/* set-up */

static void close_channel(Resolver *resolver) {
        if (!resolver->has_channel)
                return;
        resolver->stopping = true; /* what is not answered yet is answered now, with nothing */
        ares_destroy(resolver->channel);
        resolver->stopping = false;
        resolver->has_channel = false;
        for (size_t i = 0; i < resolver->n_sockets; i++)
                sd_event_source_disable_unref(resolver->sockets[i].source);
        resolver->n_sockets = 0;
}

static int open_channel(Resolver *resolver) {
        char lookups[] = "b"; /* by DNS alone */
        struct ares_options options = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
                                       .timeout = TIMEOUT_MSEC,
                                       .tries = TRIES,
                                       .lookups = lookups,
                                       .sock_state_cb = on_socket_state,
                                       .sock_state_cb_data = resolver};

        if (ares_init_options(&resolver->channel, &options,
                              ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                      ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
                return -ENOMEM;
        resolver->has_channel = true;
        if (ares_set_servers_csv(resolver->channel, resolver->servers) != ARES_SUCCESS) {
                close_channel(resolver);
                return -EINVAL;
        }
        return 0;
}

static char *servers_of(const Policy *policy) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);

        if (!f)
                return NULL;
        for (size_t i = 0; i < policy->n_resolvers; i++)
                fprintf(f, "%s%s", i > 0 ? "," : "", policy->resolvers[i]);
        return fclose(f) == 0 ? STEAL_PTR(text) : NULL;
}

int resolver_new(sd_event *event, const char *path, ResolverChanged changed, ResolverState state,
                 void *userdata, Resolver **ret) {
        Resolver *resolver;

        if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
                return -ENOMEM;
        resolver = calloc(1, sizeof(*resolver));
        if (!resolver) {
                ares_library_cleanup();
                return -ENOMEM;
        }
        resolver->path = strdup(path);
        if (!resolver->path) {
                resolver_free(resolver);
                return -ENOMEM;
        }
        resolver->event = event;
        resolver->changed = changed;
        resolver->state = state;
        resolver->userdata = userdata;
        *ret = resolver;
        return 0;
}

static void free_entry(Entry *entry) {
        free(entry->name);
        free(entry);
}

Resolver *resolver_free(Resolver *resolver) {
        if (!resolver)
                return NULL;
        close_channel(resolver);
        sd_event_source_disable_unref(resolver->timer);
        for (size_t i = 0; i < resolver->n_entries; i++)
                free_entry(resolver->entries[i]);
        free(resolver->entries);
        free(resolver->names);
        free(resolver->servers);
        free(resolver->path);
        free(resolver->remembered);
        free(resolver);
        ares_library_cleanup();
        return NULL;
}

static bool is_name(const char *to) {
        return address_parse(to, strcspn(to, "/")).bits == 0;
}

static Entry *find(Entry *const *entries, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (entries[i] && strcasecmp(entries[i]->name, name) == 0)
                        return entries[i];
        return NULL;
}

/* What an earlier agent knew of it; it is asked for all the same. */
static void recall(Entry *entry) {
        Resolver *resolver = entry->resolver;
        int n = resolver->remembered ? remember_find(resolver->remembered, entry->name, entry->addresses,
                                                     RESOLVE_ADDRESSES_MAX)
                                     : 0;

        if (n < 0)
                resolver->state(resolver->userdata, entry->name, "what was remembered of it is broken");
        entry->n = n > 0 ? (size_t)n : 0;
}

static Entry *new_entry(Resolver *resolver, const char *name) {
        Entry *entry = calloc(1, sizeof(*entry));

        if (!entry)
                return NULL;
        entry->resolver = resolver;
        entry->name = strdup(name);
        if (!entry->name) {
                free(entry);
                return NULL;
        }
        recall(entry);
        return entry;
}

/* Entries for the names of POLICY, those that are known already with what is known of them. */
static int follow_names(Resolver *resolver, const Policy *policy) {
        CLEANUP_FREE Entry **entries = calloc(policy->n_network + 1, sizeof(void *));
        CLEANUP_FREE NetworkName *names = calloc(policy->n_network + 1, sizeof(*names));
        size_t n = 0;
        int r = 0;

        if (!entries || !names)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_network && r == 0; i++) {
                const char *to = policy->network[i].to;
                Entry *known;

                if (!is_name(to) || find(entries, n, to))
                        continue;
                known = find(resolver->entries, resolver->n_entries, to);
                entries[n] = known ? known : new_entry(resolver, to);
                if (entries[n])
                        n++;
                else
                        r = -ENOMEM;
        }
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        if (!find(resolver->entries, resolver->n_entries, entries[i]->name))
                                free_entry(entries[i]);
                return r;
        }
        for (size_t i = 0; i < resolver->n_entries; i++)
                if (!find(entries, n, resolver->entries[i]->name))
                        free_entry(resolver->entries[i]);
        free(resolver->entries);
        free(resolver->names);
        resolver->entries = STEAL_PTR(entries);
        resolver->names = STEAL_PTR(names);
        resolver->n_entries = n;
        return 0;
}

int resolver_follow(Resolver *resolver, const Policy *policy) {
        char *servers = servers_of(policy);
        int r;

        if (!servers)
                return -ENOMEM;
        close_channel(resolver); /* questions point to entries */
        free(resolver->servers);
        resolver->servers = servers;
        if (!resolver->remembered && (r = remember_read(resolver->path, &resolver->remembered)) < 0)
                resolver->state(resolver->userdata, NULL, strerror(-r));
        r = follow_names(resolver, policy);
        if (r < 0)
                return r;
        if (resolver->n_entries > 0 && *servers)
                r = open_channel(resolver);
        for (size_t i = 0; i < resolver->n_entries; i++)
                resolver->entries[i]->due = 0; /* others may answer otherwise */
        ask_due(resolver);
        return r;
}

const NetworkName *resolver_names(const Resolver *resolver, size_t *ret_n) {
        for (size_t i = 0; i < resolver->n_entries; i++)
                resolver->names[i] = (NetworkName){.name = resolver->entries[i]->name,
                                                   .addresses = resolver->entries[i]->addresses,
                                                   .n_addresses = resolver->entries[i]->n};
        *ret_n = resolver->n_entries;
        return resolver->names;
}

size_t resolver_n_failing(const Resolver *resolver) {
        size_t n = 0;

        for (size_t i = 0; i < resolver->n_entries; i++)
                n += resolver->entries[i]->failing;
        return n;
}
