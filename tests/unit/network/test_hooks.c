/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/hooks/refusal.h"
#include "agent/network/hooks/tables.h"
#include "tests/unit/network/plans.h"

static const LsmMoment noon = {.time = {.weekday = 1, .minute = 720, .expiry_now = 1800000000},
                               .boottime = UINT64_C(3600000000000)};

typedef struct Made {
        NetworkPlan *plan;
        HooksTables *tables;
} Made;

static Made made_of(const char *text) {
        Made made = {.plan = plan_of(text, NULL, NULL)};

        cr_assert_eq(hooks_tables_make(made.plan, &noon, &made.tables), 0);
        return made;
}

static void end(Made *made) {
        hooks_tables_free(made->tables);
        network_plan_free(made->plan);
}

/* The numbers of the destinations that are tried at PLACE, which is one of the policy's: "1 3". */
static const char *tried_at(const HooksTables *tables, const char *place, int prefix) {
        static char text[256];
        Address address = address_parse(place, strlen(place));
        struct hooks_place key = hooks_place_of(&address, prefix);

        text[0] = '\0';
        for (size_t i = 0; i < tables->n_places; i++) {
                const HooksPlace *found = &tables->places[i];

                if (memcmp(&found->place, &key, sizeof(key)) != 0)
                        continue;
                for (uint32_t j = 0; j < found->list.n; j++) {
                        const struct hooks_row *row = &tables->rows[tables->lists[found->list.at + j]];

                        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", j > 0 ? " " : "",
                                 row->number);
                }
                return text;
        }
        return "none";
}

Test(hooks_tables, have_at_each_prefix_all_that_cover_it_in_order) {
        Made made = made_of(NETWORK "  allow:\n"
                                    "  - {name: a, to: 10.1.2.3}\n"
                                    "  - {name: b, to: 10.0.0.0/8}\n"
                                    "  - {name: c, to: 10.1.0.0/16}\n"
                                    "  - {name: d, to: 0.0.0.0/0}\n"
                                    "  - {name: e, to: 10.1.2.3}\n"
                                    "  - {name: f, to: \"::/0\"}\n"
                                    "  - {name: g, to: 11.0.0.0/8}\n");

        cr_expect_str_eq(tried_at(made.tables, "10.1.2.3", 32), "1 2 3 4 5");
        cr_expect_str_eq(tried_at(made.tables, "10.1.0.0", 16), "2 3 4");
        cr_expect_str_eq(tried_at(made.tables, "10.0.0.0", 8), "2 4");
        cr_expect_str_eq(tried_at(made.tables, "11.0.0.0", 8), "4 7");
        cr_expect_str_eq(tried_at(made.tables, "0.0.0.0", 0), "4");
        cr_expect_str_eq(tried_at(made.tables, "::", 0), "6", "of the other version");
        cr_expect_eq(made.tables->n_places, 6);
        end(&made);
}

Test(hooks_tables, say_until_when_a_rule_is_only_tried_out) {
        Made made =
                made_of(NETWORK "  allow:\n"
                                "  - {name: a, to: 10.1.2.3}\n"
                                "  - {name: b, to: 10.1.2.4, mode: monitor}\n"
                                "  - {name: c, to: 10.1.2.5, mode: monitor, monitor-until: 2027-01-20}\n");

        cr_assert_eq(made.tables->n_rows, 3);
        cr_expect_eq(made.tables->rows[0].tried, 0);
        cr_expect_eq(made.tables->rows[1].tried, UINT64_MAX);
        cr_expect(made.tables->rows[2].tried > noon.boottime && made.tables->rows[2].tried < UINT64_MAX);
        end(&made);
}

Test(hooks_tables, have_a_row_for_each_range_of_ports) {
        Made made = made_of(
                NETWORK
                "  allow:\n  - {name: a, to: 10.1.2.3, protocol: tcp, ports: [443, \"8000-8010\"]}\n");

        cr_assert_eq(made.tables->n_rows, 2);
        cr_expect_eq(made.tables->rows[0].port_from, 443);
        cr_expect_eq(made.tables->rows[1].port_from, 8000);
        cr_expect_eq(made.tables->rows[1].port_to, 8010);
        cr_expect(made.tables->rows[1].by_port);
        cr_expect_eq(made.tables->rows[1].number, 1);
        cr_expect_eq(made.tables->head.others, 0);
        cr_expect_eq(made.tables->head.written, 1);
        end(&made);
}

Test(hooks_tables, know_people_and_a_rule_for_nobody_here_is_for_nobody) {
        Made made = made_of(NETWORK "  allow:\n"
                                    "  - {name: a, to: 10.1.2.3, users: [uid1001], groups: [gid200]}\n"
                                    "  - {name: b, to: 10.1.2.4, users: [gone]}\n"
                                    "  - {name: c, to: 10.1.2.5}\n");

        cr_assert_eq(made.tables->n_people, 2);
        cr_expect_eq(made.tables->people[0].people, made.tables->rows[0].people);
        cr_expect_eq(made.tables->people[0].id, 1001);
        cr_expect_eq(made.tables->people[1].id, 200);
        cr_expect_eq(made.tables->people[1].is_group, 1);
        cr_expect_neq(made.tables->rows[1].people, 0);
        cr_expect_neq(made.tables->rows[1].people, made.tables->rows[0].people);
        cr_expect_eq(made.tables->rows[2].people, 0);
        cr_expect_eq(made.tables->head.others, 1);
        end(&made);
}

Test(hooks_tables, say_until_when_a_rule_is_open) {
        Made made = made_of(NETWORK "  allow:\n"
                                    "  - {name: a, to: 10.1.2.3, hours: \"Mon 08:00-13:00\"}\n"
                                    "  - {name: b, to: 10.1.2.4, hours: \"Mon 14:00-15:00\"}\n"
                                    "  - {name: c, to: 10.1.2.5, program: /usr/bin/env}\n"
                                    "  - {name: d, to: 10.1.2.6, interface: eth0}\n"
                                    "  - {name: e, to: 10.1.2.7, program: /usr/bin/env}\n");
        const struct hooks_row *rows = made.tables->rows;

        cr_expect_eq(rows[0].from, 0);
        cr_expect_eq(rows[0].until, noon.boottime + UINT64_C(3600000000000));
        cr_expect_eq(rows[1].from, noon.boottime + UINT64_C(7200000000000));
        cr_expect_eq(rows[1].until, noon.boottime + UINT64_C(10800000000000));
        cr_expect_eq(rows[2].until, UINT64_MAX);
        cr_expect_eq(rows[2].mark, rows[4].mark);
        cr_expect_eq(made.tables->n_programs, 1);
        cr_expect_eq(rows[3].by_interface, 1);
        end(&made);
}

Test(hooks_tables, of_ten_thousand_prefixes_are_as_many_and_no_list_grows) {
        size_t size;
        CLEANUP_FREE char *text = NULL;
        FILE *f = open_memstream(&text, &size);

        fputs(NETWORK "  allow:\n  - {name: all, to: 0.0.0.0/0, protocol: icmp}\n", f);
        for (unsigned i = 0; i < 10000; i++)
                fprintf(f, "  - {name: r%u, to: 10.%u.%u.0/24}\n", i, i / 256, i % 256);
        fclose(f);
        Made made = made_of(text);
        cr_expect_eq(made.tables->n_places, 10001);
        cr_expect_eq(made.tables->n_lists, 20001);
        end(&made);
}

Test(network_refusal, says_what_was_tried_and_by_whom) {
        struct hooks_key key = {.uid = 1001,
                                .loginuid = 1001,
                                .port = 443,
                                .family = 4,
                                .protocol = 6,
                                .address = {10, 1, 2, 3},
                                .number = 2,
                                .generation = 5};
        struct hooks_tally tally = {.count = 7,
                                    .written = 1,
                                    .pid = 42,
                                    .exe_length = 12,
                                    .comm = "curl",
                                    .exe = "curl\0bin\0usr"};
        NetworkRefusal refusal;

        network_refusal_make(&key, &tally, &refusal);
        cr_expect_str_eq(refusal.destination, "10.1.2.3");
        cr_expect_str_eq(refusal.protocol, "tcp");
        cr_expect_str_eq(refusal.exe, "/usr/bin/curl");
        cr_expect_eq(refusal.operation, OPERATION_CONNECT);
        cr_expect_eq(refusal.count, 7);
        key.sending = 1;
        key.protocol = 47;
        network_refusal_make(&key, &tally, &refusal);
        cr_expect_eq(refusal.operation, OPERATION_SEND);
        cr_expect_str_eq(refusal.protocol, "gre");
}

Test(network_refusal, of_a_socket_has_no_destination) {
        static const struct {
                struct hooks_key key;
                const char *protocol;
                Operation operation;
        } cases[] = {
                {{.kind = HOOKS_TOLD_SOCKET, .family = AF_INET, .type = SOCK_RAW, .protocol = 1},
                 "raw",
                 OPERATION_RAW_SOCKET},
                {{.kind = HOOKS_TOLD_SOCKET, .family = AF_PACKET, .type = SOCK_DGRAM},
                 "packet",
                 OPERATION_PACKET_SOCKET},
                {{.kind = HOOKS_TOLD_SOCKET, .family = AF_BLUETOOTH, .type = SOCK_STREAM},
                 "bluetooth",
                 OPERATION_RAW_SOCKET},
                {{.kind = HOOKS_TOLD_SOCKET, .family = AF_INET, .type = SOCK_STREAM, .wide = 262},
                 "mptcp",
                 OPERATION_RAW_SOCKET},
                {{.kind = HOOKS_TOLD_SOCKET, .family = 43, .type = SOCK_STREAM},
                 "family 43",
                 OPERATION_RAW_SOCKET},
        };
        struct hooks_tally tally = {.count = 1};
        NetworkRefusal refusal;

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                network_refusal_make(&cases[i].key, &tally, &refusal);
                cr_expect_str_eq(refusal.protocol, cases[i].protocol);
                cr_expect_eq(refusal.operation, cases[i].operation, "%s", cases[i].protocol);
                cr_expect_str_empty(refusal.destination);
                cr_expect_eq(refusal.pid, 0);
        }
}

Test(network_refusal, of_the_rest_is_nobodys) {
        static const struct hooks_key rest;
        struct hooks_tally tally = {.count = 9, .started = 5000};
        NetworkRefusal refusal;

        network_refusal_make(&rest, &tally, &refusal);
        cr_expect_eq(refusal.kind, HOOKS_TOLD_MANY);
        cr_expect_eq(refusal.uid, (uid_t)-1);
        cr_expect_eq(refusal.count, 9);
        cr_expect_str_empty(refusal.protocol);
}
