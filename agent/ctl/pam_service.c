/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One service's stacks: whether a way through them passes pam_sekisho by. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/text.h"
#include "pam_module/stack/lines.h"
#include "pam_module/stack/walk.h"

static const char our_module[] = "pam_sekisho.so";

/* Programs that root runs to become somebody else or to change somebody's account, and others with a
 * password. pam_rootok lets in whoever runs them as root, and thus is past a login already. In a program
 * that runs as root for everybody (sshd, gdm) it would let everybody in. */
static const char *const for_root[] = {"su", "su-l", "runuser", "runuser-l", "chfn", "chsh"};

/* Modules with which the session of a person begins; sudo and polkit run in one that there is. */
static const char *const begins_session[] = {"pam_systemd.so", "pam_loginuid.so"};

void pam_find(PamCheck *check, bool note, const char *file, unsigned line, const char *format, ...) {
        struct json_object *finding = json_object_new_object();
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        json_put_text(finding, "file", file);
        if (line > 0)
                json_put_number(finding, "line", line);
        json_put_text(finding, "message", message ? message : "?");
        json_object_array_add(note ? check->notes : check->findings, finding);
        check->open = check->open || !note;
}

const char *pam_fault_text(StackFaultKind kind) {
        switch (kind) {
        case FAULT_TYPE:
                return _("no type that PAM knows: the line fails, and counts as auth");
        case FAULT_CONTROL:
                return _("a control that PAM cannot read: every answer counts as bad");
        case FAULT_NO_MODULE:
                return _("no module is named: the line fails");
        case FAULT_INCLUDE:
                return _("what is to be included cannot be read: the line fails");
        case FAULT_TOO_DEEP:
                return _("too many substacks in each other: the line fails");
        case FAULT_SPLIT:
                return _("longer than 1023 bytes: PAM takes the rest for a line of its own");
        case FAULT_UNFINISHED:
                return _("a \\ at the end of the file: PAM refuses the file");
        case FAULT_MODULE_NAME:
                return _("a module without a name: PAM refuses the file");
        case FAULT_NO_FILE:
                return _("neither the service nor \"other\" has a file: PAM refuses everything");
        case FAULT_CRASH:
                return _("nothing is named to be included: PAM crashes");
        case FAULT_HANG:
                return _("a \\ as the 1023rd byte: PAM never ends reading");
        case FAULT_LOOP:
                return _("includes itself: what PAM makes of it hangs on its limits");
        case FAULT_UNDEFINED:
                return _("PAM goes on with memory that it has not set: what it does cannot be told");
        }
        return "?";
}

static bool names_one_of(const char *word, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

static bool has_module(const Stack *stack, const char *const *modules, size_t n) {
        for (size_t i = 0; i < stack->n; i++)
                for (size_t j = 0; j < n && stack->handlers[i].module; j++)
                        if (stack_module_is(stack->handlers[i].module, modules[j]))
                                return true;
        return false;
}

static char *action_text(int32_t action) {
        static const char *const words[] = {"ignore", "ok", "done", "bad", "die", "reset"};

        if (action > 0)
                return text_format("jump %d", action);
        return strdup((size_t)-action < ELEMENTS(words) ? words[-action] : "bad jump");
}

static struct json_object *steps_to_json(const StackPath *path) {
        struct json_object *steps = json_object_new_array();

        for (size_t i = 0; i < path->n; i++) {
                const StackStep *step = &path->steps[i];
                struct json_object *object = json_object_new_object();
                CLEANUP_FREE char *action = action_text(step->action);
                const char *code = stack_code_to_string(step->code);

                json_put_text(object, "file", step->handler->file);
                json_put_number(object, "line", step->handler->line);
                json_put_text(object, "module", step->handler->module);
                json_put_text(object, "returns", code ? code : "?");
                json_put_text(object, "action", action);
                json_object_array_add(steps, object);
        }
        return steps;
}

static void add_stack(struct json_object *stacks, StackType type, const char *verdict,
                      const StackPath *path) {
        struct json_object *object = json_object_new_object();

        json_put_text(object, "type", stack_type_to_string(type));
        json_put_text(object, "verdict", verdict);
        if (path) {
                json_object_object_add(object, "path", steps_to_json(path));
                json_put_text(object, "result", stack_code_to_string(path->result));
        }
        json_object_array_add(stacks, object);
}

/* Whether TYPE is "proven", "accepted" in spite of a way, "open", "not-called" or "unknown". True if it is
 * a finding. */
static bool judge_stack(const PamCheck *check, const char *service, const Stack *stack, StackType type,
                        struct json_object *stacks) {
        bool lenient = !check->strict,
             roots = type == STACK_AUTH && lenient && names_one_of(service, for_root, ELEMENTS(for_root));
        StackQuery query = {.type = type, .module = our_module, .refused = roots ? "pam_rootok.so" : NULL};
        CLEANUP_STACK_PATH StackPath path = {0}, accepted = {0};
        int r;

        if (type == STACK_SESSION && lenient &&
            !has_module(stack, begins_session, ELEMENTS(begins_session)) &&
            !has_module(stack, (const char *const[]){our_module}, 1)) {
                add_stack(stacks, type, "not-called", NULL);
                return false;
        }
        r = stack_search(stack, &query, &path);
        if (r != 0) {
                add_stack(stacks, type, r > 0 ? "open" : "unknown", r > 0 ? &path : NULL);
                return true;
        }
        if (roots) {
                query.refused = NULL;
                r = stack_search(stack, &query, &accepted);
        }
        if (r < 0) {
                add_stack(stacks, type, "unknown", NULL);
                return true;
        }
        add_stack(stacks, type, r > 0 ? "accepted" : "proven", r > 0 ? &accepted : NULL);
        return false;
}

static const char *judge_stacks(const PamCheck *check, const char *service, const StackConfig *config,
                                struct json_object *stacks) {
        static const StackType types[] = {STACK_AUTH, STACK_ACCOUNT, STACK_SESSION};
        bool open = false;

        if (config->outcome != STACK_READY)
                return config->outcome == STACK_REFUSED ? "refused" : "unknown";
        for (size_t i = 0; i < ELEMENTS(types); i++)
                if (judge_stack(check, service, stack_of(config, types[i]), types[i], stacks))
                        open = true;
        return open ? "open" : "proven";
}

/* PAM takes the lines of "other" where a service has none of a type; this is about one that has none at all.
 */
static bool goes_by_other(const StackConfig *config, const char *service) {
        size_t own = 0, other = 0;

        for (size_t i = 0; i < STACK_TYPES; i++) {
                own += config->own[i].n;
                other += config->other[i].n;
        }
        return config->outcome == STACK_READY && own == 0 && other > 0 && strcmp(service, "other") != 0;
}

static void add_faults(PamCheck *check, const StackConfig *config) {
        for (size_t i = 0; i < config->n_faults; i++) {
                const StackFault *fault = &config->faults[i];
                CLEANUP_FREE char *key =
                        text_format("%s:%u:%d", fault->file ? fault->file : "", fault->line, fault->kind);

                if (!key || json_object_object_get_ex(check->looked_at, key, NULL))
                        continue;
                json_put_flag(check->looked_at, key, true);
                pam_find(check, true, fault->file, fault->line, "%s", pam_fault_text(fault->kind));
        }
}

int pam_check_service(PamCheck *check, const char *service) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        struct json_object *object, *stacks;
        const char *verdict;
        int r = stack_load(check->source, service, &config);

        if (r == -E2BIG)
                return fail(_("%s: service %s: more than can be checked"), check->source->directory,
                            service);
        if (r < 0)
                return fail("%s: %s",
                            config.n_files > 0 ? config.files[config.n_files - 1] : check->source->directory,
                            strerror(-r));
        object = json_object_new_object();
        stacks = json_object_new_array();
        verdict = judge_stacks(check, service, &config, stacks);
        json_put_text(object, "service", service);
        json_put_text(object, "verdict", verdict);
        json_object_object_add(object, "stacks", stacks);
        json_object_array_add(check->services, object);
        if (strcmp(verdict, "proven") != 0)
                check->open = true;
        if (goes_by_other(&config, service)) {
                json_put_text(object, "goes_by", "other");
                pam_find(check, true, NULL, 0, _("'%s' has no file of its own: PAM goes by \"other\""),
                         service);
        }
        add_faults(check, &config);
        pam_check_files(check, &config);
        return 0;
}
