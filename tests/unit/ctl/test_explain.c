/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekishoctl and the bus explain is what the policy decides, over thousands of policies and questions
 * by chance. The commands run in this process, from the command line to the answer.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/bus/explain.h"
#include "agent/ctl/command.h"
#include "agent/ctl/json.h"
#include "agent/ctl/people.h"
#include "policy/build.h"
#include "policy/load.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/random_policy.h"

enum {
        POLICIES = 25,
        QUESTIONS = 100, /* of each kind: 6 * 60 * 100 cases */
        WORDS_MAX = 32,
        TIME_TEXT_MAX = 32
};

/* A question on its way: the policy, and who asks as this machine has it. */
typedef struct Scene {
        const char *path;
        Policy *policy;
        uint64_t seed;
        RandomQuestion question;
        Subject subject;
        gid_t *groups;
        PolicyTime now;
        char at[TIME_TEXT_MAX];
        const char *words[WORDS_MAX];
        size_t n_words;
        struct json_object *answer;
        int status;
        unsigned cases;
} Scene;

static void add(Scene *scene, const char *word) {
        cr_assert_lt(scene->n_words, WORDS_MAX - 1);
        scene->words[scene->n_words++] = word;
        scene->words[scene->n_words] = NULL;
}

static void add_option(Scene *scene, const char *option, const char *value) {
        if (!value)
                return;
        add(scene, option);
        add(scene, value);
}

static void begin(Scene *scene, const char *kind) {
        scene->n_words = 0;
        add(scene, "sekishoctl");
        add(scene, "explain");
        add(scene, kind);
        add(scene, "--json");
        add_option(scene, "--policy", scene->path);
        add_option(scene, "--runtime-dir", "/nonexistent"); /* no agent of this machine has a say */
        add_option(scene, "--at", scene->at);
}

static void add_device(Scene *scene) {
        const DeviceIdentity *device = &scene->question.device;

        add_option(scene, "--bus", device_bus_to_string(device->bus));
        add_option(scene, "--vendor", device->vendor);
        add_option(scene, "--product", device->product);
        add_option(scene, "--serial", device->serial);
        if (device->marked_external)
                add(scene, "--external");
}

static char *whole_line(const Scene *scene) {
        char *line = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&line, &size);

        cr_assert_not_null(to);
        for (size_t i = 0; i < scene->n_words; i++)
                fprintf(to, "%s ", scene->words[i]);
        fclose(to);
        return line;
}

/* Runs the command in this process. */
static void run(Scene *scene) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *out = stdout, *to = open_memstream(&text, &size);

        cr_assert_not_null(to);
        stdout = to;
        scene->status = sekishoctl((int)scene->n_words, (char **)scene->words);
        stdout = out;
        fclose(to);
        json_object_put(scene->answer);
        scene->answer = NULL;
        cr_assert_leq(scene->status, 1);
        cr_assert_eq(json_parse(text, size - 1, &scene->answer), 0, "%s", text);
        scene->cases++;
}

static void expect_text(const Scene *scene, const char *key, const char *expected) {
        const char *found = json_text(scene->answer, key);
        CLEANUP_FREE char *line = whole_line(scene);

        cr_assert(found && strcmp(found, expected) == 0, "seed %llu: %s is %s, not %s\n%s",
                  (unsigned long long)scene->seed, key, found ? found : "absent", expected, line);
}

static void expect(const Scene *scene, bool allowed, const char *reason, const char *rule,
                   const char *origin) {
        CLEANUP_FREE char *line = whole_line(scene);

        cr_assert_eq(scene->status, allowed ? 0 : 1, "seed %llu: %s", (unsigned long long)scene->seed, line);
        cr_assert_eq(json_is_true(scene->answer, "allowed"), allowed);
        expect_text(scene, "reason", reason);
        expect_text(scene, "rule", rule);
        expect_text(scene, "origin", origin);
}

static void expect_open(const Scene *scene, const OpenDecision *decision) {
        expect(scene, decision->verdict == VERDICT_ALLOW, reason_to_string(decision->reason), decision->rule,
               decision->origin);
        expect_text(scene, "verdict", verdict_to_string(decision->verdict));
}

/* the same on the bus */

static void ask_bus(Scene *scene, const char *kind, const BusExplainArgument *arguments, size_t n) {
        CLEANUP_FREE char *text = NULL;
        const char *why = NULL;

        cr_assert_eq(bus_explain(scene->policy, &scene->now, kind, arguments, n, &text, &why), 0, "%s",
                     why ? why : "?");
        json_object_put(scene->answer);
        scene->answer = NULL;
        cr_assert_eq(json_parse(text, strlen(text), &scene->answer), 0, "%s", text);
        scene->status = json_is_true(scene->answer, "allowed") ? 0 : 1;
}

static size_t bus_device(const DeviceIdentity *device, BusExplainArgument *ret) {
        ret[0] = (BusExplainArgument){"bus", device_bus_to_string(device->bus)};
        ret[1] = (BusExplainArgument){"vendor", device->vendor ? device->vendor : ""};
        ret[2] = (BusExplainArgument){"product", device->product ? device->product : ""};
        ret[3] = (BusExplainArgument){"serial", device->serial ? device->serial : ""};
        ret[4] = (BusExplainArgument){"external", device->marked_external ? "yes" : ""};
        return 5;
}

static void expect_access(const Scene *scene, const Decision *decision) {
        expect(scene, decision->access == ACCESS_WRITE, reason_to_string(decision->reason), decision->rule,
               decision->origin);
        expect_text(scene, "access", access_to_string(decision->access));
        cr_assert_eq(json_is_true(scene->answer, "external"), decision->external);
        cr_assert_eq(json_is_true(scene->answer, "conditional"), decision->conditional);
}

/* the kinds of questions */

static void check_disk(Scene *scene) {
        BusExplainArgument arguments[BUS_EXPLAIN_ARGUMENTS_MAX];
        Decision decision;

        decide_device(scene->policy, &scene->question.device, &scene->now, &decision);
        begin(scene, "device");
        add_device(scene);
        run(scene);
        expect_access(scene, &decision);
        ask_bus(scene, "device", arguments, bus_device(&scene->question.device, arguments));
        expect_access(scene, &decision);
}

static void check_interface(Scene *scene) {
        const char *class = usb_class_to_string(scene->question.class);
        BusExplainArgument arguments[BUS_EXPLAIN_ARGUMENTS_MAX];
        DeviceIdentity *device = &scene->question.device;
        Decision decision;
        size_t n;

        device->bus = DEVICE_BUS_USB;
        device->hotplug = true;
        decide_usb_interface(scene->policy, device, scene->question.class, &scene->now, &decision);
        if (scene->question.class == USB_CLASS_MASS_STORAGE_ && decision.access != ACCESS_DENY)
                decide_device(scene->policy, device, &scene->now, &decision);
        begin(scene, "device");
        add_device(scene);
        add_option(scene, "--class", class);
        run(scene);
        expect(scene, decision.access == ACCESS_WRITE, reason_to_string(decision.reason), decision.rule,
               decision.origin);
        n = bus_device(device, arguments);
        arguments[n] = (BusExplainArgument){"class", class};
        ask_bus(scene, "device", arguments, n + 1);
        expect_access(scene, &decision);
}

static void check_open(Scene *scene, bool described, const SuperblockIdentity *id) {
        BusExplainArgument arguments[BUS_EXPLAIN_ARGUMENTS_MAX];
        char uid[16], gids[256] = "";
        OpenDecision decision;
        size_t n = 0;

        decide_open(scene->policy, id, &scene->subject, scene->question.writing, &scene->now, &decision);
        begin(scene, "open");
        add_option(scene, "--user", random_user(&scene->question));
        add(scene, scene->question.writing ? "--write" : "--read");
        add_option(scene, "--fstype", id->fstype);
        add_option(scene, "--source", id->source);
        if (described)
                add_device(scene);
        run(scene);
        expect_open(scene, &decision);
        snprintf(uid, sizeof(uid), "%u", scene->subject.uid);
        for (size_t i = 0, at = 0; i < scene->subject.n_groups && at < sizeof(gids); i++)
                at += (size_t)snprintf(gids + at, sizeof(gids) - at, "%s%u", i ? "," : "",
                                       scene->subject.groups[i]);
        if (described)
                n = bus_device(&scene->question.device, arguments);
        arguments[n++] = (BusExplainArgument){"fstype", id->fstype ? id->fstype : ""};
        arguments[n++] = (BusExplainArgument){"source", id->source ? id->source : ""};
        arguments[n++] = (BusExplainArgument){"uid", uid};
        arguments[n++] = (BusExplainArgument){"gids", gids};
        arguments[n++] = (BusExplainArgument){"operation", scene->question.writing ? "write" : "read"};
        ask_bus(scene, "open", arguments, n);
        expect_open(scene, &decision);
}

static void check_opens(Scene *scene) {
        SuperblockIdentity id = scene->question.filesystem;

        if (strcmp(id.fstype, "fuse.sshfs") == 0)
                id.kind = SUPERBLOCK_USER_SPACE;
        check_open(scene, true, &scene->question.superblock);
        check_open(scene, id.device, &id);
}

static void check_login(Scene *scene) {
        MfaQuestion question = scene->question.login;
        MfaDecision decision;

        question.subject = &scene->subject;
        question.now = scene->now;
        question.proven =
                scene->question.writing ? FACTOR_BIT(FACTOR_PASSWORD) | FACTOR_BIT(FACTOR_TOTP) : 0;
        decide_mfa(scene->policy, &question, &decision);
        begin(scene, "login");
        add_option(scene, "--user", random_user(&scene->question));
        add_option(scene, "--service", question.service);
        if (*question.rhost)
                add_option(scene, "--from", question.rhost);
        if (question.proven)
                add_option(scene, "--factors", "password,totp");
        run(scene);
        expect(scene, decision.verdict == MFA_ALLOW || (decision.verdict == MFA_MORE && !question.proven),
               mfa_reason_to_string(decision.reason), decision.rule, decision.origin);
        expect_text(scene, "verdict", mfa_verdict_to_string(decision.verdict));
}

static void check_destination(Scene *scene) {
        NetworkQuestion question = scene->question.network;
        OpenDecision decision;
        char port[8];

        if (question.protocol == PROTOCOL_ANY)
                question.protocol = PROTOCOL_ICMP;
        question.subject = &scene->subject;
        question.now = scene->now;
        decide_network(scene->policy, &question, &decision);
        begin(scene, "destination");
        add(scene, question.to);
        add_option(scene, "--user", random_user(&scene->question));
        add_option(scene, "--protocol", protocol_to_string(question.protocol));
        snprintf(port, sizeof(port), "%u", question.port);
        if (question.port)
                add_option(scene, "--port", port);
        if (question.program)
                add_option(scene, "--program", question.program);
        if (question.interface)
                add_option(scene, "--interface", question.interface);
        run(scene);
        expect_open(scene, &decision);
}

static void ask(Scene *scene, Random *random) {
        time_t at;
        struct tm tm;

        random_question(random, &scene->question);
        scene->question.device.luks2 = false; /* no option says so */
        at = scene->question.now.expiry_now + (time_t)random_below(random, 7 * 24 * 60) * 60;
        cr_assert_eq(policy_time_from_wall(at, &scene->now), 0);
        localtime_r(&at, &tm);
        strftime(scene->at, sizeof(scene->at), "%Y-%m-%d %H:%M:%S", &tm);
        free(scene->groups);
        scene->groups = NULL;
        cr_assert_eq(person_subject(random_user(&scene->question), &scene->subject, &scene->groups), 0);
        check_disk(scene);
        check_opens(scene);
        check_login(scene);
        check_destination(scene);
        check_interface(scene); /* the device is a USB one from then on */
}

Test(explain, is_what_the_policy_decides, .timeout = 110) {
        Random random = random_begin();
        Scene scene = {.seed = random.seed};

        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
        directory_make();
        for (int i = 0; i < POLICIES; i++) {
                CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
                CLEANUP_FREE char *text = random_policy_text(&random, random_below(&random, 1U << 30));
                CLEANUP_POLICY Policy *policy = NULL;

                scene.path = directory_write("random.yaml", text);
                cr_assert_eq(policy_load(scene.path, &policy, &faults), 0);
                cr_assert_eq(policy_resolve(policy, &policy_resolver_nss), 0);
                scene.policy = policy;
                for (int j = 0; j < QUESTIONS; j++)
                        ask(&scene, &random);
        }
        directory_remove();
        json_object_put(scene.answer);
        free(scene.groups);
        cr_expect_eq(scene.cases, 6 * POLICIES * QUESTIONS);
}
