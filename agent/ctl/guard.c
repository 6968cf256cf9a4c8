/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/guard.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "agent/bus/factors.h"
#include "agent/bus/grants.h"
#include "agent/bus/link.h"
#include "agent/bus/memory.h"
#include "agent/bus/own_factors.h"
#include "agent/bus/service.h"
#include "policy/scope.h"

#define CONNECT_USEC UINT64_C(2000000)
#define ANSWER_USEC  UINT64_C(30000000)
#define PERSON_USEC  UINT64_C(120000000)

static void scope_bus(sd_bus **bus) {
        sd_bus_close_unref(*bus); /* NULL is fine */
}

static void scope_message(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}

static void scope_error(sd_bus_error *error) {
        sd_bus_error_free(error);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* sd_bus_call() would wait a minute and a half for a bus that hangs before it has let us in. */
static int wait_ready(sd_bus *bus) {
        uint64_t until = now_usec() + CONNECT_USEC;
        int r;

        while ((r = sd_bus_is_ready(bus)) == 0) {
                uint64_t now = now_usec();

                if (now >= until)
                        return -ETIMEDOUT;
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, until - now);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

static int open_bus(sd_bus **ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, bus_link_system_address());
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = wait_ready(bus);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(bus);
        return 0;
}

static int refusal(const sd_bus_error *error, int r) {
        if (sd_bus_error_has_name(error, BUS_ERROR_NOT_AT_CONSOLE))
                return -ENOTTY;
        if (sd_bus_error_has_name(error, BUS_ERROR_BY_POLICY))
                return -EBUSY;
        if (sd_bus_error_has_name(error, BUS_ERROR_WATCHES_ONLY))
                return -EOPNOTSUPP;
        return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
                               sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)
                       ? -EACCES
                       : r;
}

/* With arguments of TYPES, as sd_bus_message_append() takes them. */
static int call(sd_bus *bus, const char *method, sd_bus_message **ret, const char *types, ...) {
        CLEANUP(scope_message) sd_bus_message *m = NULL;
        CLEANUP(scope_error) sd_bus_error error = SD_BUS_ERROR_NULL;
        bool person = geteuid() != 0 && isatty(STDIN_FILENO);
        int r = sd_bus_message_new_method_call(bus, &m, BUS_SERVICE_NAME, BUS_SERVICE_PATH, BUS_SERVICE_NAME,
                                               method);

        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(m, person);
        if (r >= 0 && types) {
                va_list arguments;

                va_start(arguments, types);
                r = sd_bus_message_appendv(m, types, arguments);
                va_end(arguments);
        }
        if (r >= 0)
                r = sd_bus_call(bus, m, person ? PERSON_USEC : ANSWER_USEC, &error, ret);
        return r < 0 ? refusal(&error, r) : 0;
}

int guard_ask(const char *method, char **ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        const char *text;
        int r = open_bus(&bus);

        if (r >= 0)
                r = call(bus, method, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return r;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int read_outcome(sd_bus_message *reply, bool *ret_loaded, char **ret_faults) {
        const char *faults;
        int loaded = 0, r = sd_bus_message_read(reply, "bs", &loaded, &faults);

        if (r < 0)
                return r;
        *ret_faults = strdup(faults);
        if (!*ret_faults)
                return -ENOMEM;
        *ret_loaded = loaded;
        return 0;
}

int guard_reload(bool *ret_loaded, char **ret_faults) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        int r = open_bus(&bus);

        if (r >= 0)
                r = call(bus, "Reload", &reply, NULL);
        return r < 0 ? r : read_outcome(reply, ret_loaded, ret_faults);
}

int guard_install(const char *text, size_t length, bool *ret_installed, char **ret_faults) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        CLEANUP_CLOSE int fd = bus_memory_new(text, length);
        int r = fd < 0 ? fd : open_bus(&bus);

        if (r >= 0)
                r = call(bus, "InstallPolicy", &reply, "h", fd);
        return r < 0 ? r : read_outcome(reply, ret_installed, ret_faults);
}

int guard_begin_maintenance(const char *reason, unsigned minutes) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        int r = open_bus(&bus);

        return r < 0 ? r : call(bus, "BeginMaintenance", &reply, "su", reason, (uint32_t)minutes);
}

static int read_own_factors(sd_bus_message *reply, OwnFactors *ret) {
        OwnFactors own = {0};
        const char *account, *word;
        uint32_t left;
        int r = sd_bus_message_read(reply, "s", &account);

        if (r >= 0 && strlen(account) >= sizeof(own.account))
                r = -ENAMETOOLONG;
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "s");
        if (r < 0)
                return r;
        memcpy(own.account, account, strlen(account) + 1);
        while ((r = sd_bus_message_read(reply, "s", &word)) > 0) {
                int factor = factor_from_string(word);

                if (factor >= 0)
                        own.factors |= FACTOR_BIT(factor);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "u", &left);
        if (r < 0)
                return r;
        own.recovery_left = left;
        *ret = own;
        return 0;
}

int guard_own_factors(OwnFactors *ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        CLEANUP(scope_error) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = open_bus(&bus);

        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, BUS_SERVICE_NAME, BUS_SERVICE_PATH,
                                                   BUS_OWN_FACTORS_NAME, "List");
        if (r >= 0)
                r = sd_bus_call(bus, m, ANSWER_USEC, &error, &reply);
        return r < 0 ? refusal(&error, r) : read_own_factors(reply, ret);
}

static int append_totp(sd_bus_message *m, const TotpEnrolment *totp, const char *confirmation) {
        int r = sd_bus_message_append(m, "su", totp_hash_to_string(totp->hash), (uint32_t)totp->digits);

        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', totp->secret, totp->length);
        return r < 0 ? r : sd_bus_message_append(m, "s", confirmation);
}

int guard_enrol_own(const char *code, const TotpEnrolment *totp, const char *confirmation,
                    ReenrolVerdict *ret, unsigned *ret_wait) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        CLEANUP(scope_error) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *word;
        uint32_t wait;
        int verdict, r = open_bus(&bus);

        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, BUS_SERVICE_NAME, BUS_SERVICE_PATH,
                                                   BUS_OWN_FACTORS_NAME, "EnrolTotp");
        if (r >= 0)
                r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", code);
        if (r >= 0)
                r = append_totp(m, totp, confirmation);
        if (r >= 0)
                r = sd_bus_call(bus, m, PERSON_USEC, &error, &reply);
        if (r < 0)
                return refusal(&error, r);
        r = sd_bus_message_read(reply, "su", &word, &wait);
        if (r < 0)
                return r;
        verdict = reenrol_verdict_from_string(word);
        *ret = verdict < 0 ? REENROL_DENY : (ReenrolVerdict)verdict;
        *ret_wait = wait;
        return 0;
}

/* A call of METHOD about PERSON's factors for the account USER, for which somebody may be asked to show who
 * they are. */
static int new_factors_call(sd_bus *bus, const char *method, const char *user, const char *person,
                            sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, BUS_SERVICE_NAME, BUS_SERVICE_PATH,
                                               BUS_FACTORS_NAME, method);

        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(*ret, true);
        return r < 0 ? r : sd_bus_message_append(*ret, "ss", user, person);
}

/* Sends it, and reads the verdict that its reply begins with. */
static int call_factors(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret, ManageVerdict *ret_verdict) {
        CLEANUP(scope_error) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *word;
        int verdict, r = sd_bus_call(bus, m, PERSON_USEC, &error, ret);

        if (r < 0)
                return refusal(&error, r);
        r = sd_bus_message_read(*ret, "s", &word);
        if (r < 0)
                return r;
        verdict = manage_verdict_from_string(word);
        *ret_verdict = verdict < 0 ? MANAGE_DENY : (ManageVerdict)verdict;
        return 0;
}

int guard_factors(const char *user, const char *person, ManageVerdict *ret_verdict, OwnFactors *ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        int r = open_bus(&bus);

        if (r >= 0)
                r = new_factors_call(bus, "List", user, person, &m);
        if (r >= 0)
                r = call_factors(bus, m, &reply, ret_verdict);
        return r < 0 ? r : read_own_factors(reply, ret);
}

int guard_enrol(const char *user, const char *person, const TotpEnrolment *totp, const char *confirmation,
                ManageVerdict *ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        int r = open_bus(&bus);

        if (r >= 0)
                r = new_factors_call(bus, "EnrolTotp", user, person, &m);
        if (r >= 0)
                r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = append_totp(m, totp, confirmation);
        return r < 0 ? r : call_factors(bus, m, &reply, ret);
}

int guard_unenrol(const char *user, const char *person, const char *factor, ManageVerdict *ret) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        int r = open_bus(&bus);

        if (r >= 0)
                r = new_factors_call(bus, "Remove", user, person, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", factor);
        return r < 0 ? r : call_factors(bus, m, &reply, ret);
}

int guard_end_maintenance(void) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        int r = open_bus(&bus), ended = 0;

        if (r >= 0)
                r = call(bus, "EndMaintenance", &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &ended);
        return r < 0 ? r : ended;
}

int guard_begin_lockdown(const char *reason) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        int r = open_bus(&bus);

        return r < 0 ? r : call(bus, "BeginLockdown", &reply, "s", reason);
}

int guard_end_lockdown(const char *reason) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        int r = open_bus(&bus), ended = 0;

        if (r >= 0)
                r = call(bus, "EndLockdown", &reply, "s", reason);
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &ended);
        return r < 0 ? r : ended;
}

static int append_arguments(sd_bus_message *m, const GrantArgument *arguments, size_t n) {
        int r = sd_bus_message_open_container(m, 'a', "{ss}");

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = sd_bus_message_append(m, "{ss}", arguments[i].name, arguments[i].value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int guard_grants(GrantMethod method, const GrantArgument *arguments, size_t n, char **ret,
                 GrantRefusal *ret_refusal) {
        CLEANUP(scope_bus) sd_bus *bus = NULL;
        CLEANUP(scope_message) sd_bus_message *m = NULL, *reply = NULL;
        CLEANUP(scope_error) sd_bus_error error = SD_BUS_ERROR_NULL;
        bool person = geteuid() != 0 && isatty(STDIN_FILENO);
        const char *text;
        int r = open_bus(&bus);

        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, BUS_SERVICE_NAME, BUS_SERVICE_PATH,
                                                   BUS_GRANTS_NAME, grant_method_to_string(method));
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(m, person);
        if (r >= 0)
                r = append_arguments(m, arguments, n);
        if (r >= 0)
                r = sd_bus_call(bus, m, person ? PERSON_USEC : ANSWER_USEC, &error, &reply);
        if (r < 0 && sd_bus_error_has_name(&error, BUS_ERROR_GRANT_REFUSED)) {
                int word = grant_refusal_from_string(error.message ? error.message : "");

                *ret_refusal = word < 0 ? GRANT_BAD_ARGUMENTS : (GrantRefusal)word;
                return r;
        }
        if (r < 0)
                return refusal(&error, r);
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return r;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}
