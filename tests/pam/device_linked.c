/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_linked: modules of devices that are linked in, so that what they call can be replaced and made to
 * fail. */
#include "pam_module/device_module.h"

int device_module(Login *login, DeviceKind kind, const DeviceModule **ret) {
        (void)login;
        *ret = kind == DEVICE_FIDO2 ? &sekisho_device_fido2 : &sekisho_device_card;
        return 0;
}

void device_module_close(void *handle) {
        (void)handle;
}
