/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands grant ...: exceptions for a person, a medium and a time. The guard decides and keeps the
 * book. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/grants.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/plugged.h"
#include "agent/ctl/text.h"
#include "agent/maintenance.h"
#include "policy/model.h"
#include "policy/scope.h"

int grants_ask(GrantMethod method, const GrantArgument *arguments, size_t n, struct json_object **ret) {
        CLEANUP_FREE char *text = NULL;
        GrantRefusal refusal = GRANT_TAKEN;
        int r = guard_grants(method, arguments, n, &text, &refusal);

        if (refusal != GRANT_TAKEN)
                return fail("%s", grants_refusal_text(refusal));
        if (r == -EACCES)
                return fail(_("only administrators may do that"));
        if (r == 0)
                r = json_parse(text, strlen(text), ret);
        return r < 0 ? fail(_("the guard does not answer on the system bus (%s)"), strerror(-r)) : 0;
}

/* Ask, and show what became of it. */
static int ask_and_show(const Options *options, GrantMethod method, const GrantArgument *arguments,
                        size_t n) {
        CLEANUP_JSON struct json_object *permit = NULL;
        int r = grants_ask(method, arguments, n, &permit);

        if (r != 0)
                return r;
        if (options->value[OPTION_JSON])
                return json_print(permit, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
        grants_print(permit);
        return EXIT_YES;
}

static int check_minutes(const char *text) {
        char *end;
        long minutes;

        if (!text)
                return fail(_("a grant needs --minutes"));
        errno = 0;
        minutes = strtol(text, &end, 10);
        if (errno != 0 || text[0] < '0' || text[0] > '9' || *end || minutes < 1 ||
            minutes > GRANTS_MINUTES_MAX)
                return fail(_("--minutes: '%s' is no number from 1 to %d"), text, (int)GRANTS_MINUTES_MAX);
        return 0;
}

/* 0, or 2 after one line. */
static int check(const Options *options, bool for_oneself) {
        const char *reason = options->value[OPTION_REASON];

        if (!for_oneself && !options->value[OPTION_USER])
                return fail(_("a grant needs --user: who is to write"));
        if (!reason)
                return fail(_("a grant needs --reason, which goes into the journal"));
        if (!maintenance_reason_is_good(reason))
                return fail(_("--reason has to be one line of visible text, at most %d bytes"),
                            (int)MAINTENANCE_REASON_MAX);
        return check_minutes(options->value[OPTION_MINUTES]);
}

static const char *given(const Options *options, Option option, const char *otherwise) {
        return options->value[option] ? options->value[option] : otherwise ? otherwise : "";
}

/* As the medium calls itself; else as the kernel does. */
static char *name_of(const DeviceIdentity *device) {
        const char *vendor = device->vendor_name, *product = device->product_name;

        if (!vendor && !product)
                return strdup(device->name ? device->name : "");
        return text_format("%s%s%s", vendor ? vendor : "", vendor && product ? " " : "",
                           product ? product : "");
}

/* The one that is plugged in, or that the options describe. */
static int find_medium(const Options *options, DeviceIdentity *ret, char **ret_name) {
        int r = options->value[OPTION_SERIAL] ? 0 : plugged_find(options, ret);

        if (r != 0)
                return r;
        *ret_name = options->value[OPTION_SERIAL] ? strdup("") : name_of(ret);
        return *ret_name ? 0 : fail(_("out of memory"));
}

static int ask_for(const Options *options, GrantMethod method, bool for_oneself) {
        CLEANUP(device_identity_clear) DeviceIdentity device = {0};
        CLEANUP_FREE char *name = NULL;
        const struct passwd *self = for_oneself && !options->value[OPTION_USER] ? getpwuid(getuid()) : NULL;
        bool described = options->value[OPTION_SERIAL];
        int r = check(options, for_oneself);

        if (r == 0 && !described &&
            (options->value[OPTION_VENDOR] || options->value[OPTION_PRODUCT] || options->value[OPTION_BUS]))
                r = fail(_("--vendor, --product and --bus go with --serial"));
        if (r == 0)
                r = find_medium(options, &device, &name);
        if (r != 0)
                return r;
        const GrantArgument arguments[] = {
                {"user", given(options, OPTION_USER, self ? self->pw_name : NULL)},
                {"minutes", options->value[OPTION_MINUTES]},
                {"reason", options->value[OPTION_REASON]},
                {"data-class", given(options, OPTION_DATA_CLASS, NULL)},
                {"carrier", given(options, OPTION_CARRIER, NULL)},
                {"purpose", given(options, OPTION_PURPOSE, NULL)},
                {"vendor", given(options, OPTION_VENDOR, device.vendor)},
                {"product", given(options, OPTION_PRODUCT, device.product)},
                {"serial", given(options, OPTION_SERIAL, device.serial)},
                {"bus", described ? given(options, OPTION_BUS, "usb") : device_bus_to_string(device.bus)},
                {"device", name},
        };

        return ask_and_show(options, method, arguments, ELEMENTS(arguments));
}

int command_grant(const Options *options) {
        return ask_for(options, GRANT_GIVE, false);
}

int command_grant_request(const Options *options) {
        return ask_for(options, GRANT_REQUEST, true);
}

int command_grant_redeem(const Options *options) {
        const GrantArgument arguments[] = {{"code", options->arguments[0]}};

        return ask_and_show(options, GRANT_REDEEM, arguments, ELEMENTS(arguments));
}

/* 0, or 2 after one line. */
static int check_id(const char *text) {
        if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
                return fail(_("'%s' is no number of a grant"), text);
        return 0;
}

static int ask_about(const Options *options, GrantMethod method, const char *outcome) {
        const GrantArgument arguments[] = {{"id", options->arguments[0]}, {"outcome", outcome}};
        int r = check_id(options->arguments[0]);

        return r != 0 ? r : ask_and_show(options, method, arguments, ELEMENTS(arguments));
}

int command_grant_approve(const Options *options) {
        return ask_about(options, GRANT_APPROVE, "");
}

int command_grants_revoke(const Options *options) {
        return ask_about(options, GRANT_REVOKE, "");
}

int command_grants_close(const Options *options) {
        const char *returned = options->value[OPTION_RETURNED], *erased = options->value[OPTION_ERASED];

        if (!returned == !erased)
                return fail(_("what became of the medium? --returned or --erased"));
        return ask_about(options, GRANT_CLOSE, returned ? "returned" : "erased");
}
