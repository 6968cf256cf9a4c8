/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy explain device: a disk, or a USB device by its interfaces. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/target.h"
#include "agent/ctl/text.h"
#include "policy/build.h"

static int ambiguous(const Options *options) {
        bool described = target_is_described(options);

        if (options->n_arguments > 0 && described)
                return fail(_("give either a device's path or the options that describe one"));
        if (options->n_arguments > 0 && (options->classes.n > 0 || options->value[OPTION_EXTERNAL]))
                return fail(_("--class and --external go with a device that options describe"));
        if (options->n_arguments == 0 && !described && options->classes.n == 0)
                return fail(_("which device? give its path, or --vendor, --product, --serial, --bus"));
        return 0;
}

static int parse_class(const char *text, uint8_t *ret) {
        int code = usb_class_from_string(text);
        unsigned long value;
        char *end;

        if (code >= 0) {
                *ret = (uint8_t)code;
                return 0;
        }
        errno = 0;
        value = strtoul(text, &end, 16);
        if (strspn(text, "0123456789abcdefABCDEFx") != strlen(text) || end == text || *end != '\0' ||
            errno != 0 || value > UINT8_MAX)
                return fail(_("--class '%s': expected a name such as printer, or two hexadecimal digits"),
                            text);
        *ret = (uint8_t)value;
        return 0;
}

static int find_target(const Options *options, Target *ret) {
        if (ambiguous(options) != 0)
                return EXIT_TROUBLE;
        if (options->n_arguments > 0)
                return target_from_device(options->arguments[0], ret);
        if (target_from_options(options, ret) != 0)
                return EXIT_TROUBLE;
        if (options->classes.n == 0)
                return 0;
        if (ret->device.bus != DEVICE_BUS_USB)
                return fail(_("--class goes with --bus usb"));
        ret->block = false;
        for (size_t i = 0; i < options->classes.n && i < USB_INTERFACES_MAX; i++)
                if (parse_class(options->classes.values[i],
                                &ret->device.interface_classes[ret->device.n_interfaces++]) != 0)
                        return EXIT_TROUBLE;
        return 0;
}

static int finish(const Explain *explain, const Explanation *explanation, struct json_object *object) {
        if (!object)
                explain_print(explain, explanation);
        else if (json_print(object, "\n") < 0)
                return fail(_("out of memory"));
        return explanation->allowed ? EXIT_YES : EXIT_NO;
}

/* disks */

static char *disk_sentence(const Decision *decision, const char *name) {
        if (!decision->external)
                return text_format(_("%s is the terminal's own; the guard leaves it alone."), name);
        switch (decision->access) {
        case ACCESS_WRITE:
                return decision->conditional
                               ? text_format(_("%s may be written to by those it is approved for."), name)
                               : text_format(_("%s may be read and written to."), name);
        case ACCESS_READ_ONLY:
                return text_format(_("%s may be read, but not written to."), name);
        case ACCESS_DENY:
                break;
        }
        return text_format(_("%s may not be used."), name);
}

static int explain_disk(const Explain *explain, const Target *target, const char *name) {
        CLEANUP_JSON struct json_object *object = NULL;
        CLEANUP_FREE char *sentence = NULL;
        Explanation explanation = {0};
        Decision decision;

        target_decide_device(explain->policy, target, &explain->time, &decision);
        sentence = disk_sentence(&decision, name);
        explanation = (Explanation){.allowed = decision.access == ACCESS_WRITE,
                                    .sentence = sentence,
                                    .reason = decision.reason,
                                    .rule = decision.rule,
                                    .origin = decision.origin,
                                    .monitor = decision.monitor};
        if (explain->json) {
                object = explain_json(explain, &explanation);
                json_put_text(object, "access", access_to_string(decision.access));
                json_put_flag(object, "conditional", decision.conditional);
                json_put_flag(object, "external", decision.external);
                json_object_object_add(object, "device", explain_device_json(&target->device));
        }
        return finish(explain, &explanation, object);
}

/* USB devices */

static const char *class_name(uint8_t class, char buffer[static 8]) {
        const char *word = usb_class_to_string(class);

        if (word)
                return word;
        snprintf(buffer, 8, "%02x", class);
        return buffer;
}

/* A storage interface that is let in says nothing of writing: that is the disk's verdict. */
static Decision interface_decision(const Explain *explain, const Target *target, uint8_t class) {
        Decision decision;

        decide_usb_interface(explain->policy, &target->device, class, &explain->time, &decision);
        if (class == USB_CLASS_MASS_STORAGE_ && decision.access != ACCESS_DENY)
                target_decide_device(explain->policy, target, &explain->time, &decision);
        return decision;
}

static char *interface_sentence(const Decision *decision, uint8_t class) {
        char buffer[8];
        const char *name = class_name(class, buffer);

        if (decision->access == ACCESS_DENY)
                return text_format(_("The %s interface is kept out."), name);
        if (class != USB_CLASS_MASS_STORAGE_)
                return text_format(_("The %s interface is let in."), name);
        if (decision->access == ACCESS_READ_ONLY)
                return text_format(
                        _("The %s interface is let in; what is on it may be read, but not written to."),
                        name);
        return decision->conditional
                       ? text_format(_("The %s interface is let in, and may be written to by those it is "
                                       "approved for."),
                                     name)
                       : text_format(_("The %s interface is let in, and may be written to."), name);
}

static void print_interface(const Explain *explain, const Explanation *explanation, bool last) {
        if (last) {
                explain_print(explain, explanation);
                return;
        }
        explain_print_sentences(explanation);
        fputs("  ", stdout);
        text_print(explanation->rule, stdout);
        fputs(" (", stdout);
        text_print(explain_origin(explanation), stdout);
        fputs(")\n", stdout);
}

static void add_interface(struct json_object *list, const Explanation *explanation, const Decision *decision,
                          uint8_t class) {
        struct json_object *object = json_object_new_object();

        json_put_text(object, "class", usb_class_to_string(class));
        json_put_number(object, "code", class);
        json_put_flag(object, "allowed", explanation->allowed);
        json_put_text(object, "access", access_to_string(decision->access));
        json_put_text(object, "sentence", explanation->sentence);
        json_put_text(object, "reason", reason_to_string(decision->reason));
        json_put_text(object, "rule", decision->rule);
        json_put_text(object, "origin", decision->origin);
        json_object_array_add(list, object);
}

/* Each interface is judged by itself. The answer as a whole is that on the first that is refused, else on
 * the last. */
static int explain_interfaces(const Explain *explain, const Target *target, const char *name) {
        CLEANUP_JSON struct json_object *list = json_object_new_array(), *object = NULL;
        bool allowed = true;

        if (!explain->json)
                printf(_("%s has these interfaces:\n"), name);
        for (size_t i = 0; i < target->device.n_interfaces; i++) {
                uint8_t class = target->device.interface_classes[i];
                Decision decision = interface_decision(explain, target, class);
                Explanation one = {.allowed = decision.access == ACCESS_WRITE,
                                   .reason = decision.reason,
                                   .rule = decision.rule,
                                   .origin = decision.origin,
                                   .monitor = decision.monitor};
                bool last = i + 1 == target->device.n_interfaces;
                CLEANUP_FREE char *sentence = interface_sentence(&decision, class);

                one.sentence = sentence;
                add_interface(list, &one, &decision, class);
                if (!explain->json)
                        print_interface(explain, &one, last);
                else if (allowed && (!one.allowed || last)) {
                        json_object_put(object);
                        object = explain_json(explain, &one);
                }
                allowed = allowed && one.allowed;
        }
        if (object) {
                json_object_object_add(object, "interfaces", json_object_get(list));
                json_object_object_add(object, "device", explain_device_json(&target->device));
                if (json_print(object, "\n") < 0)
                        return fail(_("out of memory"));
        }
        return allowed ? EXIT_YES : EXIT_NO;
}

static int explain_without_interfaces(const Explain *explain, const Target *target, const char *name) {
        CLEANUP_JSON struct json_object *object = NULL;
        CLEANUP_FREE char *sentence = NULL;
        Explanation explanation = {
                .allowed = true, .reason = REASON_DEFAULT, .rule = "usb.default", .origin = "built-in"};

        sentence = text_format(_("%s has no interfaces yet: there is nothing to refuse."), name);
        explanation.sentence = sentence;
        if (explain->json) {
                object = explain_json(explain, &explanation);
                json_object_object_add(object, "interfaces", json_object_new_array());
                json_object_object_add(object, "device", explain_device_json(&target->device));
        }
        return finish(explain, &explanation, object);
}

int command_explain_device(const Options *options) {
        CLEANUP_EXPLAIN Explain explain = {0};
        CLEANUP_TARGET Target target = {0};
        CLEANUP_FREE char *known = NULL, *safe = NULL;

        if (find_target(options, &target) != 0 || explain_begin(options, &explain) != 0)
                return EXIT_TROUBLE;
        known = target_device_name(&target.device);
        safe = known ? text_for_terminal(known) : NULL;
        if (!safe)
                return fail(_("out of memory"));
        if (target.block)
                return explain_disk(&explain, &target, safe);
        if (target.device.n_interfaces == 0)
                return explain_without_interfaces(&explain, &target, safe);
        return explain_interfaces(&explain, &target, safe);
}
