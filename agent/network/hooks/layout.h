/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h: what the agent and its programs at the control group's network hooks share: the maps' keys and
 * values. Included by both sides: plain integers of fixed size only. Zero denies: what was not filled in
 * lets nothing out but to the terminal itself.
 */
#pragma once

#include <linux/types.h>

enum {
        HOOKS_GENERATIONS = 2,
        HOOKS_ROWS_MAX = 1 << 20,  /* rows, and entries of lists, of one plan */
        HOOKS_LIST_MAX = 1 << 16,  /* rows that cover one address */
        HOOKS_TALLY = 4096,        /* refusals told apart between two looks of the agent ... */
        HOOKS_TALLY_PEOPLE = 1024, /* ... and people of whom the others are told by their number */
        HOOKS_SEEN = 16384,
        HOOKS_RING = 1 << 12,
        HOOKS_OWN = 512, /* addresses of the terminal's own */
        HOOKS_EXE = 512,
        HOOKS_NAME = 64,  /* of a directory or file; longer ones are cut off */
        HOOKS_DEPTH = 16, /* directories of a path */
        HOOKS_COMM = 16,
};

/* A destination: the key of a tree of prefixes. */
struct hooks_place {
        __u32 prefix; /* bits of what follows that count: the family's 8 and those of the address */
        __u8 family;  /* 4 or 6; an IPv4 address written as IPv6 is that IPv4 address */
        __u8 address[16];
        __u8 pad[3];
};

/* The rows that cover a prefix, in order: N entries of the lists from AT on. */
struct hooks_list {
        __u32 at, n;
};

enum {
        HOOKS_PROTOCOL_ANY,
        HOOKS_PROTOCOL_TCP,
        HOOKS_PROTOCOL_UDP,
        HOOKS_PROTOCOL_ICMP,
        HOOKS_PROTOCOL_OTHER, /* one that has no word of its own; of a question only */
};

/* One destination of the plan, with one of its ranges of ports. */
struct hooks_row {
        __u64 from, until; /* ns since boot; open while from <= now < until */
        __u64 expires;     /* ns since boot from when on it covers nothing, 0: never */
        __u64 tried;       /* ns since boot until when whom it refuses is told, and let through */
        __u32 people;      /* the set of people it is for, 0: everybody */
        __u32 mark;        /* of the program it is for, 0: any */
        __u32 number;      /* of the destination in the plan, from 1 */
        __u16 port_from, port_to;
        __u8 by_port;
        __u8 protocol;
        __u8 by_interface; /* the packet filter sees which: here it lets through what may go there */
        __u8 pad[5];
};

struct hooks_person {
        __u32 people; /* the set */
        __u32 id;
        __u32 is_group;
};

/* A program, by its file. */
struct hooks_exe {
        __u64 ino;
        __u32 dev; /* as the kernel numbers devices inside */
        __u32 pad;
};

/* What holds for a whole plan. */
struct hooks_head {
        __u64 network; /* cookie of the only network namespace that is guarded, 0: all */
        __u8 written;  /* else nothing gets out */
        __u8 default_allow;
        __u8 monitor; /* let everything through, tell what would be refused */
        __u8 locked;
        __u8 dhcp;
        __u8 others;   /* some rule is for any protocol: the packet filter tells those apart */
        __u8 programs; /* some rule is for a program */
        __u8 pad;
};

enum {
        HOOKS_TOLD_CONNECT, /* a connection or a datagram was refused */
        HOOKS_TOLD_SOCKET,  /* a socket by which hooks are gone around */
        HOOKS_TOLD_SEEN,    /* let through because everything is: the first to this destination */
        HOOKS_TOLD_MANY,    /* too many to tell apart: one person's */
};

enum {
        HOOKS_WHY_DEFAULT,
        HOOKS_WHY_PERSON,
        HOOKS_WHY_HOURS,
        HOOKS_WHY_EXPIRED,
        HOOKS_WHY_LOCKED,
};

/* Refusals that are counted as one. */
struct hooks_key {
        __u64 exe_ino;
        __u32 exe_dev;
        __u32 uid, loginuid; /* the file-system uid; (__u32) -1: nobody logged in */
        __u32 number;        /* of the destination in the plan that decided, 0: none */
        __u32 generation;
        __u16 port;
        __u8 kind, why;
        __u8 monitor;
        __u8 family;   /* 4 or 6; of a socket, its address family */
        __u8 type;     /* of a socket */
        __u8 protocol; /* as in /etc/protocols */
        __u16 wide;    /* likewise, of those that do not fit into the byte */
        __u8 sending;  /* a datagram, and no connection */
        __u8 pad;
        __u8 address[16];
};

/* Who it was, the first time, and how often it was. */
struct hooks_tally {
        __u64 count;
        __u64 started; /* of the process, ns since boot; of the key of zeroes: how many keys there are */
        __u32 pid, tid;
        __u32 exe_length;
        __u32 written;         /* what follows is */
        char comm[HOOKS_COMM]; /* what the thread calls itself */
        char exe[HOOKS_EXE];   /* entries, the last first, each ended by a zero */
};

/* A destination of the other side of "first time". */
struct hooks_seen {
        __u8 family, protocol;
        __u16 port;
        __u8 address[16];
};
