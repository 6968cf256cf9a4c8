/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network interface is, by the kernel's message and by sysfs, and what becomes of those on top of it.
 */
#include <net/if.h> /* before linux/if.h, which leaves out what this has */

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/network/ether.h"
#include "agent/network/stacked.h"
#include "agent/network/unjudged.h"
#include "agent/note.h"
#include "policy/scope.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* -- the message */

static void begin_link(NetlinkBuffer *buffer, uint16_t type, unsigned char family) {
        const struct ifinfomsg header = {
                .ifi_family = family, .ifi_index = 7, .ifi_type = ARPHRD_ETHER, .ifi_flags = IFF_UP};

        netlink_begin(buffer, type, 0, 1, &header, sizeof(header));
}

Test(link, message_is_read) {
        static const unsigned char mac[] = {0x02, 0, 0, 0, 0, 0x0a};
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        int number = 3;
        Link link;
        size_t nest;

        begin_link(&buffer, RTM_NEWLINK, AF_UNSPEC);
        netlink_put_text(&buffer, IFLA_IFNAME, "eth0.5");
        netlink_put(&buffer, IFLA_LINK, &number, sizeof(number));
        netlink_put(&buffer, IFLA_PERM_ADDRESS, mac, sizeof(mac));
        nest = netlink_nest(&buffer, IFLA_LINKINFO);
        netlink_put_text(&buffer, IFLA_INFO_KIND, "vlan");
        netlink_end(&buffer, nest);
        netlink_put_text(&buffer, IFLA_PARENT_DEV_BUS_NAME, "usb");
        cr_assert_eq(link_parse((const void *)buffer.bytes, &link), 0);
        cr_expect_eq(link.index, 7);
        cr_expect_str_eq(link.name, "eth0.5");
        cr_expect_str_eq(link.kind, "vlan");
        cr_expect_str_eq(link.parent_bus, "usb");
        cr_expect_eq(link.lower, 3);
        cr_expect_not(link.lower_elsewhere);
        cr_expect_eq(link.permanent_length, sizeof(mac));
        cr_expect_eq(link.moved_to, -1);
        cr_expect(link.flags & IFF_UP);
}

Test(link, namespace_it_moved_to_is_read) {
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        int number = 0;
        Link link;

        begin_link(&buffer, RTM_DELLINK, AF_UNSPEC);
        netlink_put_text(&buffer, IFLA_IFNAME, "eth0");
        netlink_put(&buffer, IFLA_NEW_NETNSID, &number, sizeof(number));
        cr_assert_eq(link_parse((const void *)buffer.bytes, &link), 0);
        cr_expect_eq(link.moved_to, 0);
}

Test(link, what_a_bridge_tells_of_its_port_is_none) {
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        Link link;

        begin_link(&buffer, RTM_DELLINK, AF_BRIDGE);
        netlink_put_text(&buffer, IFLA_IFNAME, "eth0");
        cr_expect_eq(link_parse((const void *)buffer.bytes, &link), -EBADMSG);
}

Test(link, one_without_a_name_or_with_a_broken_attribute_is_none) {
        CLEANUP(netlink_clear) NetlinkBuffer nameless = {0}, broken = {0};
        struct nlattr *attribute;
        Link link;

        begin_link(&nameless, RTM_NEWLINK, AF_UNSPEC);
        cr_expect_eq(link_parse((const void *)nameless.bytes, &link), -EBADMSG);
        begin_link(&broken, RTM_NEWLINK, AF_UNSPEC);
        netlink_put_text(&broken, IFLA_IFNAME, "eth0");
        attribute = (void *)(broken.bytes + NLMSG_SPACE(sizeof(struct ifinfomsg)));
        attribute->nla_len = 400;
        cr_expect_eq(link_parse((const void *)broken.bytes, &link), -EBADMSG);
}

/* -- sysfs */

typedef struct Place {
        const char *label;
        const char *device;    /* below devices/, NULL: none */
        const char *subsystem; /* of the device */
        const char *above;     /* "DIRECTORY ATTRIBUTE VALUE" of something above it */
        const char *above_subsystem;
        const char *type; /* DEVTYPE */
        unsigned short arphrd;
        const char *kind; /* as the kernel names what made it */
        InterfaceKind expected;
        const char *vendor, *driver;
        bool tunnel;
} Place;

#define TEMPLATE "/tmp/sekisho-test-sysfs-XXXXXX"
static char root[] = TEMPLATE;

static void make_directories(const char *path) {
        char command[PATH_MAX];

        (void)snprintf(command, sizeof(command), "mkdir -p '%s'", path);
        cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void put_file(const char *directory, const char *name, const char *text) {
        char path[PATH_MAX];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        cr_assert_not_null(f);
        fputs(text, f);
        cr_assert_eq(fclose(f), 0);
}

static void put_link(const char *directory, const char *name, const char *target) {
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        cr_assert_eq(symlink(target, path), 0);
}

static void build(const Place *place, int index) {
        char class[PATH_MAX], device[PATH_MAX], above[PATH_MAX], text[64];
        char directory[128], attribute[64], value[64];

        (void)snprintf(class, sizeof(class), "%s/class/net/net7", root);
        make_directories(class);
        (void)snprintf(text, sizeof(text), "%d\n", index);
        put_file(class, "ifindex", text);
        (void)snprintf(text, sizeof(text), "%s%s\nINTERFACE=net7\n", place->type ? "DEVTYPE=" : "",
                       place->type ? place->type : "");
        put_file(class, "uevent", text);
        if (!place->device)
                return;
        (void)snprintf(device, sizeof(device), "%s/devices/%s", root, place->device);
        make_directories(device);
        put_link(device, "subsystem", place->subsystem);
        put_link(device, "driver", "/sys/bus/any/drivers/some_driver");
        put_link(class, "device", device);
        if (!place->above)
                return;
        cr_assert_eq(sscanf(place->above, "%127s %63s %63s", directory, attribute, value), 3);
        (void)snprintf(above, sizeof(above), "%s/devices/%s", root, directory);
        put_file(above, attribute, value);
        put_link(above, "subsystem", place->above_subsystem);
}

static void remove_tree(void) {
        char command[PATH_MAX];

        (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
        cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static const Place places[] = {
        {.label = "card in the terminal",
         .device = "pci0000:00/0000:00:03.0",
         .subsystem = "/sys/bus/pci",
         .expected = INTERFACE_ETHERNET,
         .driver = "some_driver"},
        {.label = "virtio",
         .device = "pci0000:00/0000:00:03.0/virtio0",
         .subsystem = "/sys/bus/virtio",
         .above = "pci0000:00/0000:00:03.0 vendor 0x1af4",
         .above_subsystem = "/sys/bus/pci",
         .expected = INTERFACE_ETHERNET,
         .vendor = "0x1af4"},
        {.label = "USB adapter",
         .device = "pci0000:00/usb1/1-1/1-1:1.0",
         .subsystem = "/sys/bus/usb",
         .above = "pci0000:00/usb1/1-1 idVendor 0525",
         .above_subsystem = "/sys/bus/usb",
         .expected = INTERFACE_USB,
         .vendor = "0525"},
        {.label = "Wi-Fi on USB",
         .device = "pci0000:00/usb1/1-1/1-1:1.0",
         .subsystem = "/sys/bus/usb",
         .type = "wlan",
         .expected = INTERFACE_WIFI},
        {.label = "Wi-Fi on PCI",
         .device = "pci0000:00/0000:00:04.0",
         .subsystem = "/sys/bus/pci",
         .type = "wlan",
         .expected = INTERFACE_WIFI},
        {.label = "mobile radio",
         .device = "pci0000:00/usb1/1-1/1-1:1.0",
         .subsystem = "/sys/bus/usb",
         .type = "wwan",
         .expected = INTERFACE_WWAN},
        {.label = "dial-up",
         .arphrd = ARPHRD_PPP,
         .kind = "ppp",
         .expected = INTERFACE_WWAN,
         .tunnel = true},
        {.label = "Bluetooth",
         .device = "pci0000:00/usb1/1-1/1-1:1.0/bluetooth/hci0/hci0:1",
         .subsystem = "/sys/class/bluetooth",
         .type = "bluetooth",
         .expected = INTERFACE_BLUETOOTH},
        {.label = "card behind Thunderbolt",
         .device = "pci0000:00/0000:00:1d.0/0000:05:00.0",
         .subsystem = "/sys/bus/pci",
         .above = "pci0000:00/0000:00:1d.0 removable removable",
         .above_subsystem = "/sys/bus/pci",
         .expected = INTERFACE_USB},
        {.label = "Thunderbolt networking",
         .device = "pci0000:00/domain0/0-1/0-1.0",
         .subsystem = "/sys/bus/thunderbolt",
         .expected = INTERFACE_USB},
        {.label = "this terminal as a USB device",
         .device = "platform/udc.0/gadget.0",
         .subsystem = "/sys/bus/gadget",
         .expected = INTERFACE_USB},
        {.label = "a device of which nothing is known",
         .device = "platform/strange",
         .subsystem = "/sys/bus/platform",
         .arphrd = ARPHRD_VOID,
         .expected = INTERFACE_UNKNOWN},
        {.label = "bridge", .kind = "bridge", .expected = INTERFACE_VIRTUAL, .driver = "bridge"},
        {.label = "tap", .kind = "tun", .expected = INTERFACE_VIRTUAL, .driver = "tun", .tunnel = true},
};

Test(interface, kind_goes_by_what_stands_beneath) {
        for (size_t i = 0; i < ELEMENTS(places); i++) {
                const Place *place = &places[i];
                Link link = {
                        .index = 7, .name = "net7", .type = place->arphrd ? place->arphrd : ARPHRD_ETHER};
                InterfaceFacts facts;

                (void)snprintf(root, sizeof(root), "%s", TEMPLATE);
                cr_assert_not_null(mkdtemp(root));
                if (place->kind)
                        (void)snprintf(link.kind, sizeof(link.kind), "%s", place->kind);
                build(place, 7);
                interface_identify(root, &link, &facts);
                remove_tree();
                cr_expect_eq(facts.kind, place->expected, "%s: kind %d", place->label, facts.kind);
                cr_expect_eq(facts.tunnel, place->tunnel, "%s", place->label);
                cr_expect_str_eq(facts.vendor, place->vendor ? place->vendor : "", "%s", place->label);
                if (place->driver)
                        cr_expect_str_eq(facts.driver, place->driver, "%s", place->label);
        }
}

Test(interface, what_sysfs_shows_of_another_one_by_this_name_is_not_believed) {
        Link link = {
                .index = 7, .name = "net7", .type = ARPHRD_ETHER, .parent = "1-1:1.0", .parent_bus = "usb"};
        InterfaceFacts facts;

        cr_assert_not_null(mkdtemp(root));
        build(&places[0], 8);
        interface_identify(root, &link, &facts);
        remove_tree();
        cr_expect_eq(facts.kind, INTERFACE_USB);
        cr_expect_str_eq(facts.device, "");
}

Test(interface, address_it_was_made_with_goes_before_the_one_it_has) {
        Link link = {.index = 7, .name = "net7", .address = {2, 0, 0, 0, 0, 1}, .address_length = 6};
        InterfaceFacts facts;

        interface_identify("/nonexistent", &link, &facts);
        cr_expect_str_eq(facts.mac, "02:00:00:00:00:01");
        link.permanent_length = 6;
        memcpy(link.permanent, (unsigned char[]){0x52, 0x54, 0, 0x12, 0x34, 0x56}, 6);
        interface_identify("/nonexistent", &link, &facts);
        cr_expect_str_eq(facts.mac, "52:54:00:12:34:56");
}

/* -- on top of each other */

static const OpenDecision yes = {.verdict = VERDICT_ALLOW, .rule = "yes"},
                          no = {.verdict = VERDICT_DENY, .rule = "no"},
                          own = {.verdict = VERDICT_ALLOW, .rule = "own"};

typedef struct Stack {
        const char *label;
        Link lower, upper;
        const OpenDecision *lower_decision, *upper_decision, *expected;
} Stack;

static const Stack stacks[] = {
        {"vlan on a refused one", {.index = 1}, {.index = 2, .kind = "vlan", .lower = 1}, &no, &own, &no},
        {"vlan on an approved one", {.index = 1}, {.index = 2, .kind = "vlan", .lower = 1}, &yes, &no, &yes},
        {"macvlan on one of another namespace",
         {.index = 1},
         {.index = 2, .kind = "macvlan", .lower = 1, .lower_elsewhere = true},
         &yes,
         &no,
         &no},
        {"other end of a veth", {.index = 1}, {.index = 2, .kind = "veth", .lower = 1}, &no, &own, &own},
        {"tunnel bound to an approved one",
         {.index = 1},
         {.index = 2, .kind = "vxlan", .lower = 1},
         &yes,
         &no,
         &no},
        {"approved tunnel bound to a refused one",
         {.index = 1},
         {.index = 2, .kind = "vxlan", .lower = 1},
         &no,
         &own,
         &no},
        {"bridge with a refused port",
         {.index = 1, .master = 2},
         {.index = 2, .kind = "bridge"},
         &no,
         &own,
         &no},
        {"bridge with an approved port",
         {.index = 1, .master = 2},
         {.index = 2, .kind = "bridge"},
         &yes,
         &own,
         &own},
        {"refused bridge with an approved port",
         {.index = 1, .master = 2},
         {.index = 2, .kind = "bridge"},
         &yes,
         &no,
         &no},
        {"bridge without ports", {.index = 1}, {.index = 2, .kind = "bridge"}, &no, &own, &own},
        {"each on the other", {.index = 1, .lower = 2}, {.index = 2, .lower = 1}, &yes, &own, &own},
};

Test(stacked, what_stands_beneath_decides) {
        for (size_t i = 0; i < ELEMENTS(stacks); i++) {
                const Stack *stack = &stacks[i];
                const StackedLink links[] = {{&stack->lower, stack->lower_decision},
                                             {&stack->upper, stack->upper_decision}};

                cr_expect_str_eq(stacked_decision(links, 2, 1)->rule, stack->expected->rule, "%s",
                                 stack->label);
        }
}

Test(stacked, bridge_with_one_approved_and_one_refused_port_is_approved) {
        const Link bridge = {.index = 1, .kind = "bridge"}, good = {.index = 2, .master = 1},
                   bad = {.index = 3, .master = 1};
        const StackedLink links[] = {{&bridge, &own}, {&bad, &no}, {&good, &yes}};

        cr_expect_str_eq(stacked_decision(links, 3, 0)->rule, "own");
        cr_expect_str_eq(stacked_decision(links, 3, 1)->rule, "no");
}

/* -- who touched the table */

static bool touches(uint16_t type, uint16_t attribute, const char *table, uint32_t port) {
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        const struct nfgenmsg header = {.nfgen_family = NFPROTO_NETDEV};
        struct nlmsghdr *message;

        netlink_begin(&buffer, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, 1, &header, sizeof(header));
        netlink_put_be32(&buffer, 200, 1);
        netlink_put_text(&buffer, attribute, table);
        message = (void *)buffer.bytes;
        message->nlmsg_pid = port;
        return ether_touched(message, 4000) == ETHER_LOST;
}

Test(ether, what_others_do_to_the_table_is_seen_and_nothing_else) {
        cr_expect(touches(NFT_MSG_DELTABLE, NFTA_TABLE_NAME, ETHER_TABLE, 5000));
        cr_expect(touches(NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, ETHER_TABLE, 5000));
        cr_expect(touches(NFT_MSG_NEWRULE, NFTA_RULE_TABLE, ETHER_TABLE, 5000));
        cr_expect_not(touches(NFT_MSG_DELTABLE, NFTA_TABLE_NAME, ETHER_TABLE, 4000), "it was ourselves");
        cr_expect_not(touches(NFT_MSG_DELTABLE, NFTA_TABLE_NAME, ETHER_TABLE "2", 5000));
        cr_expect_not(touches(NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_TABLE, ETHER_TABLE, 5000));
}

/* A new chain of this NAME and POLICY; a new table with these flags if there is no name. */
static EtherTouch touch_anew(const char *name, uint32_t number) {
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        const struct nfgenmsg header = {.nfgen_family = NFPROTO_NETDEV};
        uint16_t type = name ? NFT_MSG_NEWCHAIN : NFT_MSG_NEWTABLE;
        struct nlmsghdr *message;

        netlink_begin(&buffer, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, 1, &header, sizeof(header));
        netlink_put_text(&buffer, name ? NFTA_CHAIN_TABLE : NFTA_TABLE_NAME, ETHER_TABLE);
        if (name)
                netlink_put_text(&buffer, NFTA_CHAIN_NAME, name);
        netlink_put_be32(&buffer, name ? NFTA_CHAIN_POLICY : NFTA_TABLE_FLAGS, number);
        message = (void *)buffer.bytes;
        message->nlmsg_pid = 5000;
        return ether_touched(message, 4000);
}

Test(ether, what_only_holds_more_is_no_loss) {
        cr_expect_eq(touch_anew(NULL, 0), ETHER_HOLDS_MORE);
        cr_expect_eq(touch_anew(NULL, NFT_TABLE_F_DORMANT), ETHER_LOST);
        cr_expect_eq(touch_anew("out eth9", NF_DROP), ETHER_HOLDS_MORE);
        cr_expect_eq(touch_anew("in eth9", NF_DROP), ETHER_HOLDS_MORE);
        cr_expect_eq(touch_anew("in eth9", NF_ACCEPT), ETHER_LOST);
        cr_expect_eq(touch_anew("mine", NF_DROP), ETHER_LOST);
        cr_expect_eq(touch_anew("outer", NF_DROP), ETHER_LOST);
}

/* -- netlink */

/* A kernel that answers message NUMBER with ERROR. */
static void answer(int fd, uint32_t number, int error) {
        CLEANUP(netlink_clear) NetlinkBuffer buffer = {0};
        const struct nlmsgerr header = {.error = error};

        netlink_begin(&buffer, NLMSG_ERROR, 0, number, &header, sizeof(header));
        cr_assert_eq(send(fd, buffer.bytes, buffer.length, 0), (ssize_t)buffer.length);
}

static void *answer_next(void *userdata) {
        int fd = *(int *)userdata;
        unsigned char asked[1024];

        cr_assert_gt(recv(fd, asked, sizeof(asked), 0), 0);
        answer(fd, 2, -EBUSY);
        return NULL;
}

Test(netlink, what_is_left_of_an_earlier_talk_answers_no_later_one) {
        CLEANUP(netlink_clear) NetlinkBuffer question = {0};
        const struct nfgenmsg header = {0};
        pthread_t kernel;
        int fds[2];

        cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
        answer(fds[1], 2, 0);
        answer(fds[1], 3, -ENODEV);
        netlink_begin(&question, NFNL_SUBSYS_NFTABLES << 8, NLM_F_REQUEST, 2, &header, sizeof(header));
        cr_assert_eq(pthread_create(&kernel, NULL, answer_next, &fds[1]), 0);
        cr_expect_eq(netlink_talk(fds[0], &question, 2, NULL, NULL), -EBUSY);
        cr_assert_eq(pthread_join(kernel, NULL), 0);
        close(fds[0]);
        close(fds[1]);
}

/* -- what nobody has judged yet */

static void leave(const char *state_dir, const char *name, const char *text) {
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/%s", state_dir, name);
        if (text)
                put_file(state_dir, name, text);
        else
                (void)unlink(path);
}

Test(unjudged, goes_by_what_the_last_agent_left) {
        InterfaceFacts card = {.kind = INTERFACE_ETHERNET, .device = "/sys/devices/a", .mac = "02:00"};
        InterfaceFacts other = {.kind = INTERFACE_ETHERNET, .device = "/sys/devices/b", .mac = "02:00"};
        InterfaceFacts plugged = {.kind = INTERFACE_USB, .device = "/sys/devices/a", .mac = "02:00"};
        char state[] = "/tmp/sekisho-test-unjudged-XXXXXX", gone[PATH_MAX];

        cr_assert_not_null(mkdtemp(state));
        (void)snprintf(gone, sizeof(gone), "%s/gone", state);
        cr_expect_not(unjudged_is_held(state, &card), "nothing is known");
        cr_expect(unjudged_is_held(state, &plugged));
        cr_expect_not(unjudged_is_held(gone, &card), "it is not mounted yet");
        cr_expect(unjudged_is_held(gone, &plugged));
        leave(state, LINKS_APPROVED, "/sys/devices/a 02:00\n");
        cr_expect_not(unjudged_is_held(state, &card));
        cr_expect(unjudged_is_held(state, &other));
        cr_expect(unjudged_is_held(state, &plugged), "approved or not, it waits");
        leave(state, LINKS_APPROVED, "");
        cr_expect(unjudged_is_held(state, &card), "none was approved");
        leave(state, LINKS_NOT_GUARDED, "");
        cr_expect_not(unjudged_is_held(state, &card));
        cr_expect_not(unjudged_is_held(state, &plugged));
        leave(state, LINKS_NOT_GUARDED, NULL);
        leave(state, LINKS_APPROVED, NULL);
        cr_expect_eq(rmdir(state), 0);
}
