/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/checks_network.h"

#include <string.h>

#include "policy/address.h"
#include "policy/destination.h"
#include "policy/translate.h"

void check_port(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];
        PortRange range;

        if (port_range_parse(node->text, &range, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

void check_ports_need_protocol(Check *check, const TreeNode *node) {
        const TreeNode *ports = tree_find(check->tree, node, "ports");
        const TreeNode *protocol = tree_find(check->tree, node, "protocol");

        if (ports && !(protocol && (tree_is(protocol, "tcp") || tree_is(protocol, "udp"))))
                check_fault(check, ports,
                            "ports without a protocol that has them; expected protocol: tcp or udp");
}

void check_address(Check *check, const TreeNode *node) {
        char text[QUOTE_MAX];

        if (address_parse(node->text, node->length).bits == 0)
                check_fault(check, node, "%s: expected an address (10.20.0.1, fd00::1)",
                            quote(node->text, node->length, text));
}

/* What the kernel takes for a name (dev_valid_name()), without what needs escaping in a packet filter. */
static bool is_kernel_word(const char *text, size_t length) {
        static const char characters[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:-";
        bool dots = (length == 1 || length == 2) && strncmp(text, "..", length) == 0;

        return length > 0 && strspn(text, characters) >= length && !dots;
}

static void check_word(Check *check, const TreeNode *node, const char *expected) {
        char text[QUOTE_MAX];

        if (!is_kernel_word(node->text, node->length))
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, expected));
}

static const char why_interface[] = N_("expected the name of a network interface (enp3s0)");

void check_interface(Check *check, const TreeNode *node) {
        check_word(check, node, why_interface);
}

void check_interface_pattern(Check *check, const TreeNode *node) {
        bool star = node->length > 1 && node->text[node->length - 1] == '*';
        char text[QUOTE_MAX];

        if (!is_kernel_word(node->text, node->length - star))
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why_interface));
}

void check_kernel_word(Check *check, const TreeNode *node) {
        check_word(check, node, N_("expected a word as the kernel has it (e1000e, pci)"));
}

static bool is_hex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void check_mac(Check *check, const TreeNode *node) {
        char text[QUOTE_MAX];
        bool good = node->length == strlen("00:00:00:00:00:00");

        for (size_t i = 0; good && i < node->length; i++)
                good = i % 3 == 2 ? node->text[i] == ':' : is_hex(node->text[i]);
        if (!good)
                check_fault(check, node, "%s: expected the address of an interface (52:54:00:12:34:56)",
                            quote(node->text, node->length, text));
}

void check_interface_match(Check *check, const TreeNode *node) {
        if (node->n_children == 0)
                check_fault(check, node,
                            "matches every interface; expected interface, driver, bus, mac or kind");
}
