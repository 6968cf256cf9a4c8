/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/fingerprint.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define NAME    "net.reactivated.Fprint"
#define MANAGER "net.reactivated.Fprint.Manager"
#define DEVICE  "net.reactivated.Fprint.Device"
#define ERROR   "net.reactivated.Fprint.Error."
#define ANY     "any"

enum {
        RELEASE_USEC = 2000000,
        FINGERS_MAX = 10
};

static void scope_message(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static void scope_slot(sd_bus_slot **slot) {
        sd_bus_slot_unref(*slot);
}

static void scope_creds(sd_bus_creds **creds) {
        sd_bus_creds_unref(*creds);
}

static void scope_fingers(char ***fingers) {
        for (size_t i = 0; *fingers && (*fingers)[i]; i++)
                free((*fingers)[i]);
        free(*fingers);
}

static uint64_t now_usec(void) {
        struct timespec now;

        return clock_gettime(CLOCK_BOOTTIME, &now) < 0
                       ? 0
                       : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int call(const Fingerprint *fingerprint, const char *method, sd_bus_error *error,
                const char *argument) {
        return sd_bus_call_method(fingerprint->bus, fingerprint->owner, fingerprint->device, DEVICE, method,
                                  error, NULL, argument ? "s" : NULL, argument);
}

void fingerprint_close(Fingerprint *fingerprint) {
        if (fingerprint->bus)
                (void)sd_bus_set_method_call_timeout(fingerprint->bus, RELEASE_USEC);
        if (fingerprint->verifying)
                (void)call(fingerprint, "VerifyStop", NULL, NULL);
        if (fingerprint->claimed)
                (void)call(fingerprint, "Release", NULL, NULL);
        free(fingerprint->owner);
        free(fingerprint->device);
        sd_bus_close_unref(fingerprint->bus);
        *fingerprint = (Fingerprint){0};
}

static int errno_of(int r, const sd_bus_error *error) {
        static const struct {
                const char *name;
                int error;
        } errors[] = {
                {ERROR "NoSuchDevice", -ENODEV},           {ERROR "AlreadyInUse", -EBUSY},
                {ERROR "NoEnrolledPrints", -ENOKEY},       {SD_BUS_ERROR_SERVICE_UNKNOWN, -ENODEV},
                {SD_BUS_ERROR_NAME_HAS_NO_OWNER, -ENODEV},
        };

        for (size_t i = 0; i < ELEMENTS(errors); i++)
                if (sd_bus_error_has_name(error, errors[i].name))
                        return errors[i].error;
        return r == -ETIMEDOUT ? -EIO : r; /* it hangs: nobody was waited for yet */
}

static int connect_bus(uint64_t timeout_usec, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, fingerprint_bus_address());
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, timeout_usec);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r == -ENOENT ? -ENODEV : r;
        }
        *ret = bus;
        return 0;
}

/* From here on only the connection that owns the name now is spoken to. */
static int pin_owner(Fingerprint *fingerprint) {
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(scope_creds) sd_bus_creds *creds = NULL;
        const char *unique;
        uid_t uid;
        int r = sd_bus_call_method(fingerprint->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "StartServiceByName", &error, NULL, "su", NAME,
                                   (uint32_t)0);

        /* one that is there needs no starting, and may have no file to be started by */
        if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN))
                return errno_of(r, &error);
        r = sd_bus_get_name_creds(fingerprint->bus, NAME, SD_BUS_CREDS_UNIQUE_NAME | SD_BUS_CREDS_EUID,
                                  &creds);
        if (r < 0)
                return r == -ENXIO || r == -ESRCH ? -ENODEV : r;
        if ((r = sd_bus_creds_get_euid(creds, &uid)) < 0 ||
            (r = sd_bus_creds_get_unique_name(creds, &unique)) < 0)
                return r;
        if (uid != 0)
                return -EPERM;
        fingerprint->owner = strdup(unique);
        return fingerprint->owner ? 0 : -ENOMEM;
}

static int find_device(Fingerprint *fingerprint) {
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        const char *path;
        int r = sd_bus_call_method(fingerprint->bus, fingerprint->owner, "/net/reactivated/Fprint/Manager",
                                   MANAGER, "GetDefaultDevice", &error, &reply, NULL);

        if (r < 0)
                return errno_of(r, &error);
        if ((r = sd_bus_message_read(reply, "o", &path)) < 0)
                return r;
        fingerprint->device = strdup(path);
        return fingerprint->device ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_fingers(Fingerprint *fingerprint, const char *user) {
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(scope_message) sd_bus_message *reply = NULL;
        CLEANUP(scope_fingers) char **fingers = NULL;
        size_t n = 0, at = 0;
        int r = sd_bus_call_method(fingerprint->bus, fingerprint->owner, fingerprint->device, DEVICE,
                                   "ListEnrolledFingers", &error, &reply, "s", user);

        if (r < 0)
                return errno_of(r, &error);
        if ((r = sd_bus_message_read_strv(reply, &fingers)) < 0)
                return r;
        while (fingers && fingers[n])
                n++;
        if (n == 0)
                return -ENOKEY;
        if (n > FINGERS_MAX)
                return -EBADMSG;
        qsort(fingers, n, sizeof(*fingers), compare);
        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(fingers[i]);

                if (!enrolment_is_word(fingers[i], FINGERS_SIZE) || at + length + 2 > FINGERS_SIZE)
                        return -EBADMSG;
                if (i > 0)
                        fingerprint->fingers[at++] = ',';
                memcpy(fingerprint->fingers + at, fingers[i], length + 1);
                at += length;
        }
        return 0;
}

int fingerprint_open(const char *user, uint64_t timeout_usec, Fingerprint *ret) {
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP_FINGERPRINT Fingerprint fingerprint = {0};
        int r = connect_bus(timeout_usec, &fingerprint.bus);

        if (r < 0 || (r = pin_owner(&fingerprint)) < 0 || (r = find_device(&fingerprint)) < 0 ||
            (r = list_fingers(&fingerprint, user)) < 0)
                return r;
        r = call(&fingerprint, "Claim", &error, user);
        if (r < 0)
                return errno_of(r, &error);
        fingerprint.claimed = true;
        *ret = fingerprint;
        fingerprint = (Fingerprint){0};
        return 0;
}

/* What has been heard while a finger is waited for. */
typedef struct Hearing {
        const Fingerprint *fingerprint;
        void (*again)(void *userdata);
        void *userdata;
        bool done;
        int result;
} Hearing;

static int conclude(Hearing *hearing, int result) {
        if (!hearing->done)
                hearing->result = result;
        hearing->done = true;
        return 0;
}

static int hear_status(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Hearing *hearing = userdata;
        const char *sender = sd_bus_message_get_sender(message), *status;
        int done;

        (void)error;
        if (!sender || strcmp(sender, hearing->fingerprint->owner) != 0)
                return 0;
        if (sd_bus_message_read(message, "sb", &status, &done) < 0)
                return conclude(hearing, -EBADMSG);
        if (strcmp(status, "verify-match") == 0)
                return conclude(hearing, 0);
        if (strcmp(status, "verify-no-match") == 0)
                return conclude(hearing, -EKEYREJECTED);
        if (strcmp(status, "verify-disconnected") == 0)
                return conclude(hearing, -ENODEV);
        if (done)
                return conclude(hearing, -EIO);
        hearing->again(hearing->userdata); /* too short, not centred, ... */
        return 0;
}

static int hear_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        (void)message;
        (void)error;
        return conclude(userdata, -ENODEV);
}

static int wait_for(sd_bus *bus, Hearing *hearing, uint64_t deadline) {
        while (!hearing->done) {
                uint64_t now = now_usec();
                int r = now == 0 ? -EIO : sd_bus_process(bus, NULL);

                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (now >= deadline)
                        return -ETIMEDOUT;
                r = sd_bus_wait(bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return hearing->result;
}

int fingerprint_verify(Fingerprint *fingerprint, uint64_t timeout_usec, void (*again)(void *userdata),
                       void *userdata) {
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(scope_slot) sd_bus_slot *statuses = NULL, *owners = NULL;
        Hearing hearing = {.fingerprint = fingerprint, .again = again, .userdata = userdata};
        uint64_t start = now_usec();
        char rule[256];
        int r;

        (void)snprintf(rule, sizeof(rule),
                       "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                       "member='NameOwnerChanged',arg0='%s',arg2=''",
                       fingerprint->owner);
        r = sd_bus_match_signal(fingerprint->bus, &statuses, fingerprint->owner, fingerprint->device, DEVICE,
                                "VerifyStatus", hear_status, &hearing);
        if (r >= 0)
                r = sd_bus_add_match(fingerprint->bus, &owners, rule, hear_owner, &hearing);
        if (r < 0)
                return r;
        r = call(fingerprint, "VerifyStart", &error, ANY);
        if (r < 0)
                return errno_of(r, &error);
        fingerprint->verifying = true;
        return start == 0 ? -EIO : wait_for(fingerprint->bus, &hearing, start + timeout_usec);
}
