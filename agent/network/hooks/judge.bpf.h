/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.bpf.h: whether the caller may reach a destination: the longest prefix that covers it has the list of
 * all rows that do, in the plan's order, and the first that is about the question decides.
 */
#pragma once

#include "agent/network/hooks/maps.bpf.h"

enum {
        DHCP_CLIENT = 68,
        DHCP_SERVER = 67,
        DHCPV6_CLIENT = 546,
        DHCPV6_SERVER = 547,
        FAMILY_4 = 4,
        FAMILY_6 = 6,
        PREFIX_ALL = 8 + 128,
        PREFIX_ALL_4 = 8 + 32,
};

struct question {
        struct hooks_place place;
        struct hooks_exe exe;
        __u16 port, from_port;
        __u8 protocol; /* HOOKS_PROTOCOL_… */
        __u8 pad[3];
};

struct judgement {
        __u32 generation;
        __u32 number; /* of the destination that decided */
        __u32 mark;   /* of the program that the caller is */
        __u8 allow, why;
        __u8 tried; /* it does not, and lets through all the same */
        __u8 given; /* a row is for a program: what goes there carries its mark */
};

static __always_inline __u32 get_generation(void) {
        __u32 zero = 0, *found = bpf_map_lookup_elem(&current, &zero);

        return found ? *found : 0;
}

static __always_inline const struct hooks_head *get_head(__u32 generation) {
        __u32 which = generation % HOOKS_GENERATIONS;
        const struct hooks_head *head = bpf_map_lookup_elem(&heads, &which);

        return head && head->written ? head : NULL;
}

static __always_inline void get_exe(struct hooks_exe *ret) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

        *ret = (struct hooks_exe){};
        if (!inode)
                return;
        ret->ino = BPF_CORE_READ(inode, i_ino);
        ret->dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

static __always_inline __u32 get_mark(__u32 generation, const struct hooks_exe *exe) {
        __u32 which = generation % HOOKS_GENERATIONS, *mark;
        void *map = bpf_map_lookup_elem(&marks, &which);

        mark = map ? bpf_map_lookup_elem(map, exe) : NULL;
        return mark ? *mark : 0;
}

struct people_search {
        struct hooks_person person;
        const void *gids;
        __u32 which;
        bool found;
};

static long search_people(__u32 i, void *context) {
        struct people_search *search = context;
        void *map = bpf_map_lookup_elem(&people, &search->which);
        kgid_t gid;

        if (!map || bpf_probe_read_kernel(&gid, sizeof(gid), (const char *)search->gids + i * sizeof(gid)))
                return 1;
        search->person.id = gid.val;
        search->found = bpf_map_lookup_elem(map, &search->person) != NULL;
        return search->found;
}

/* Whether the caller is, by the file-system uid, a group, or a supplementary one. */
static __always_inline bool is_among(__u32 set, __u32 which) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct people_search search = {.person = {.people = set, .id = BPF_CORE_READ(task, cred, fsuid.val)},
                                       .which = which};
        void *map = bpf_map_lookup_elem(&people, &which);
        struct group_info *groups;
        int n;

        if (!map)
                return false;
        if (bpf_map_lookup_elem(map, &search.person))
                return true;
        search.person.is_group = 1;
        search.person.id = BPF_CORE_READ(task, cred, fsgid.val);
        if (bpf_map_lookup_elem(map, &search.person))
                return true;
        groups = BPF_CORE_READ(task, cred, group_info);
        n = BPF_CORE_READ(groups, ngroups);
        search.gids = (const char *)groups + bpf_core_field_offset(struct group_info, gid);
        if (n > 0)
                bpf_loop(n, search_people, &search, 0);
        return search.found;
}

struct row_search {
        const struct question *question;
        struct judgement *judgement;
        __u64 now;
        __u32 which, at;
        bool decided;
};

static __always_inline bool covers(const struct hooks_row *row, const struct question *question,
                                   __u32 mark) {
        if (row->protocol != HOOKS_PROTOCOL_ANY && row->protocol != question->protocol)
                return false;
        if (row->by_port &&
            (question->port < row->port_from || question->port > row->port_to ||
             (question->protocol != HOOKS_PROTOCOL_TCP && question->protocol != HOOKS_PROTOCOL_UDP)))
                return false;
        return row->mark == 0 || row->mark == mark;
}

static long try_row(__u32 i, void *context) {
        struct row_search *search = context;
        struct judgement *judgement = search->judgement;
        __u32 which = search->which, at = search->at + i, *number;
        void *lists_now = bpf_map_lookup_elem(&lists, &which),
             *rows_now = bpf_map_lookup_elem(&rows, &which);
        const struct hooks_row *row;
        __u8 why;

        number = lists_now ? bpf_map_lookup_elem(lists_now, &at) : NULL;
        row = number && rows_now ? bpf_map_lookup_elem(rows_now, number) : NULL;
        if (!row)
                return 1;
        if (!covers(row, search->question, judgement->mark))
                return 0;
        if (row->expires && search->now >= row->expires) {
                if (judgement->why == HOOKS_WHY_DEFAULT) {
                        judgement->why = HOOKS_WHY_EXPIRED;
                        judgement->number = row->number;
                }
                return 0;
        }
        if (row->people && !is_among(row->people, which))
                why = HOOKS_WHY_PERSON;
        else if (search->now < row->from || search->now >= row->until)
                why = HOOKS_WHY_HOURS;
        else {
                judgement->allow = 1;
                judgement->number = row->number;
                judgement->given = row->mark != 0;
                search->decided = true;
                return 1;
        }
        judgement->tried = search->now < row->tried;
        if (row->by_interface && !judgement->tried) /* it may go out elsewhere, which another row is about */
                return 0;
        judgement->why = why;
        judgement->number = row->number;
        judgement->given = judgement->tried && row->mark != 0;
        search->decided = true;
        return 1;
}

static __always_inline bool is_dhcp(const struct question *question) {
        if (question->protocol != HOOKS_PROTOCOL_UDP)
                return false;
        return question->place.family == FAMILY_4
                       ? question->from_port == DHCP_CLIENT && question->port == DHCP_SERVER
                       : question->from_port == DHCPV6_CLIENT && question->port == DHCPV6_SERVER;
}

/* Looked at by the verifier by itself, and not on every path that leads to it. Always 0. */
__noinline int network_judge(const struct hooks_head *head, const struct question *question,
                             struct judgement *ret) {
        struct row_search search = {.question = question, .judgement = ret};
        struct hooks_place place; /* until Linux 6.2 only what is on the function's own stack is a key */
        struct hooks_exe exe;
        const struct hooks_list *list;
        void *map;

        if (!head || !question || !ret)
                return 0;
        place = question->place;
        exe = question->exe;
        search.which = ret->generation % HOOKS_GENERATIONS;
        if (head->locked) {
                ret->why = HOOKS_WHY_LOCKED;
                return 0;
        }
        if (head->dhcp && is_dhcp(question)) {
                ret->allow = 1;
                return 0;
        }
        if (head->programs)
                ret->mark = get_mark(ret->generation, &exe);
        search.now = bpf_ktime_get_boot_ns();
        map = bpf_map_lookup_elem(&places, &search.which);
        list = map ? bpf_map_lookup_elem(map, &place) : NULL;
        if (list) {
                search.at = list->at;
                bpf_loop(list->n, try_row, &search, 0);
        }
        if (!search.decided)
                ret->allow = head->default_allow;
        return 0;
}
