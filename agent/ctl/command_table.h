/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_table.h: the commands by their words, with their help, in a table for each theme. Of commands with
 * the same first word the one with more words stands first, in the same table.
 */
#pragma once

#include "agent/ctl/command.h"

typedef struct Command {
        uint64_t bit;
        const char *name; /* its words, with one space between */
        int (*run)(const Options *options);
        size_t arguments_min, arguments_max;
        const char *help;
} Command;

typedef struct CommandGroup {
        const Command *commands;
        size_t n;
} CommandGroup;

extern const CommandGroup commands_guard, commands_policy, commands_login, commands_grant;
