/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logins: what each needs, by service, place, person and time. The order of rules decides between people, so
 * those are asked about as well who have two of the names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/diff.h"
#include "policy/address.h"
#include "policy/decide_mfa.h"

/* A verdict in one number: kinds of factors, whether none does, and the factors that count. */
enum {
        LOGIN_REFUSED = 1U << 16,
        LOGIN_IN_GRACE = 1U << 17,
        LOGIN_BREAK_GLASS = 1U << 18,
        LOGIN_KINDS = 20 /* from this bit on */
};

static const char elsewhere[] = "a place that no rule names";

typedef struct Login {
        const char *service, *rhost;
} Login;

static uint32_t ask_login(const void *userdata, const Policy *policy, const Subject *subject,
                          const PolicyTime *now, const char **ret_rule) {
        const Login *login = userdata;
        const MfaQuestion question = {
                .service = login->service, .rhost = login->rhost, .subject = subject, .now = *now};
        MfaDecision decision;

        decide_mfa(policy, &question, &decision);
        *ret_rule = decision.rule;
        if (decision.verdict == MFA_DENY)
                return LOGIN_REFUSED;
        return decision.kinds_needed << LOGIN_KINDS | (decision.kinds_needed ? decision.accepted : 0) |
               (decision.grace_open ? LOGIN_IN_GRACE : 0) | (decision.break_glass ? LOGIN_BREAK_GLASS : 0);
}

static struct json_object *login_word(uint32_t verdict) {
        struct json_object *object = json_object_new_object(), *factors = json_object_new_array();
        uint32_t kinds = verdict >> LOGIN_KINDS;

        json_put_text(object, "login",
                      verdict & LOGIN_REFUSED ? "deny"
                      : kinds == 0            ? "off"
                      : kinds == 1            ? "exempt"
                                              : "required");
        for (unsigned factor = 0; kinds > 1 && factor <= FACTOR_SUBSTITUTE; factor++)
                if (verdict & FACTOR_BIT(factor))
                        json_append_text(factors, factor_to_string((Factor)factor));
        json_object_object_add(object, "factors", factors);
        json_put_flag(object, "grace", verdict & LOGIN_IN_GRACE);
        json_put_flag(object, "break_glass", verdict & LOGIN_BREAK_GLASS);
        return object;
}

/* services and places */

typedef struct Texts {
        const char **items;
        size_t n;
} Texts;

static void texts_clear(Texts *texts) {
        free(texts->items);
}

static int add_text(Texts *texts, const char *text) {
        const char **grown;

        for (size_t i = 0; i < texts->n; i++)
                if (texts->items[i] == text ||
                    (texts->items[i] && text && strcmp(texts->items[i], text) == 0))
                        return 0;
        grown = reallocarray(texts->items, texts->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        texts->items = grown;
        grown[texts->n++] = text;
        return 0;
}

static int find_services(const Diff *diff, Texts *ret) {
        int r = 0;

        for (int side = 0; side < DIFF_SIDES; side++) {
                const Policy *policy = diff->policies[side];

                for (size_t i = 0; r == 0 && i < policy->n_mfa_services; i++)
                        r = add_text(ret, policy->mfa_services[i].name);
                for (size_t i = 0; i < policy->n_mfa_rules; i++)
                        for (size_t j = 0; r == 0 && j < policy->mfa_rules[i].n_services; j++)
                                r = add_text(ret, policy->mfa_rules[i].services[j]);
        }
        return r;
}

static int find_places(const Diff *diff, Texts *ret) {
        int r = add_text(ret, "");

        if (r == 0)
                r = add_text(ret, elsewhere);
        for (int side = 0; side < DIFF_SIDES; side++) {
                const Policy *policy = diff->policies[side];

                for (size_t i = 0; i < policy->n_mfa_rules; i++)
                        for (size_t j = 0; r == 0 && j < policy->mfa_rules[i].n_from; j++)
                                if (strcmp(policy->mfa_rules[i].from[j], "local") != 0 &&
                                    strcmp(policy->mfa_rules[i].from[j], "remote") != 0)
                                        r = add_text(ret, policy->mfa_rules[i].from[j]);
        }
        return r;
}

/* The last address of the prefix PLACE, in a buffer: another prefix within it may begin where it begins. */
static const char *last_address(const char *place, char buffer[static INET6_ADDRSTRLEN]) {
        const char *slash = strchr(place, '/');
        Address address = address_parse(place, slash ? (size_t)(slash - place) : strlen(place));

        for (long bit = slash ? strtol(slash + 1, NULL, 10) : address.bits; bit < address.bits; bit++)
                address.bytes[bit / 8] |= (unsigned char)(0x80U >> (bit % 8));
        return address.bits == 0 || !inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes,
                                               buffer, INET6_ADDRSTRLEN)
                       ? place
                       : buffer;
}

/* people and times */

static int add_rules(DiffGrid *grid, const Policy *policy, const Login *login) {
        int r = diff_grid_add_moment(grid, policy->mfa_grace_until);

        for (size_t i = 0; r == 0 && i < policy->n_mfa_rules; i++) {
                const MfaRule *rule = &policy->mfa_rules[i];
                bool concerns = rule->n_services == 0;

                for (size_t j = 0; !concerns && j < rule->n_services; j++)
                        concerns = strcmp(rule->services[j], login->service) == 0;
                if (concerns)
                        r = diff_grid_add_scope(grid, &rule->scope);
        }
        for (size_t i = 0; r == 0 && i < policy->n_mfa_exempt_uids; i++)
                r = diff_grid_add_user(grid, policy->mfa_exempt_uids[i]);
        for (size_t i = 0; r == 0 && i < policy->n_mfa_break_glass; i++)
                if (policy->mfa_break_glass[i].uid_known)
                        r = diff_grid_add_user(grid, policy->mfa_break_glass[i].uid);
        return r;
}

static int consider(Diff *diff, const DiffGrid *grid, const Login *login, bool named, const char *place) {
        CLEANUP_JSON struct json_object *what = json_object_new_object();
        const DiffObject object = {
                .section = "logins", .what = what, .ask = ask_login, .word = login_word, .userdata = login};

        json_put_text(what, "service", named ? login->service : NULL);
        json_put_text(what, "from", *place == '\0' ? "local" : place == elsewhere ? "remote" : place);
        return diff_compare(diff, grid, &object);
}

static int consider_places(Diff *diff, const DiffGrid *grid, Login *login, bool named, const Texts *places) {
        int r = 0;

        for (size_t i = 0; r == 0 && !diff->cut && i < places->n; i++) {
                char buffer[INET6_ADDRSTRLEN];

                login->rhost = last_address(places->items[i], buffer);
                r = consider(diff, grid, login, named, places->items[i]);
        }
        return r;
}

static int consider_service(Diff *diff, const char *service, const Texts *places) {
        Login login = {.service = service ? service : "a service that no rule names"};
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        int r = diff_grid_begin(diff, &grid);

        for (int side = 0; r == 0 && side < DIFF_SIDES; side++)
                r = add_rules(&grid, diff->policies[side], &login);
        if (r == 0 && diff_may_ask(diff, grid.n_people * grid.n_people / 2))
                r = diff_grid_add_pairs(&grid);
        return r < 0 ? r : consider_places(diff, &grid, &login, service, places);
}

int diff_logins(Diff *diff) {
        CLEANUP(texts_clear) Texts services = {0};
        CLEANUP(texts_clear) Texts places = {0};
        int r = find_services(diff, &services);

        if (r == 0)
                r = find_places(diff, &places);
        for (size_t i = 0; r == 0 && !diff->cut && i < services.n; i++)
                r = consider_service(diff, services.items[i], &places);
        return r < 0 ? r : consider_service(diff, NULL, &places);
}
