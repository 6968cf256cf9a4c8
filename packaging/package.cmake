# SPDX-License-Identifier: GPL-2.0-or-later
# The packages: `cmake --build build --target package`, or one kind by `cpack --config build/CPackConfig.cmake -G DEB`.
# They are left in build/packages/.
set(debian ${CMAKE_CURRENT_LIST_DIR}/debian)
set(rpm ${CMAKE_CURRENT_LIST_DIR}/rpm)

set(CPACK_PACKAGE_NAME sekisho)
set(CPACK_PACKAGE_VENDOR Sekisho)
set(CPACK_PACKAGE_CONTACT "Sekisho Maintainers <maintainers@sekisho.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "guard that keeps residents' data on the terminal")
set(CPACK_PACKAGE_DESCRIPTION
"Sekisho makes every external disk read-only until the policy approves it,
guards every mounted file system that the policy does not approve, and
records in the journal who tried to write. It is made for terminals of local
governments that handle individual numbers.")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_GENERATOR DEB)
find_program(SEKISHO_RPMBUILD rpmbuild)
if(SEKISHO_RPMBUILD)
    list(APPEND CPACK_GENERATOR RPM)
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What the maintainer scripts call, and what runs the agent and its helper.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~), libpam-runtime (>= 1.4), systemd (>= 252), udev (>= 252)")
# Setting the PINs of security keys, fingerprints, and IC cards with their readers.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fido2-tools, fprintd, opensc, pcscd")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)

set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE GPL-2.0-or-later)
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_PACKAGE_REQUIRES "systemd >= 252, systemd-udev")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${rpm}/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${rpm}/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${rpm}/postun)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/default/grub.d/sekisho.cfg"
    "%config(noreplace) /etc/default/sekisho-fetch")
# Directories of others.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc/default /etc/default/grub.d
    /usr/sbin /usr/libexec /usr/lib/udev /usr/lib/udev/rules.d /usr/lib/systemd /usr/lib/systemd/system
    /usr/lib/systemd/system-preset /usr/lib/systemd/catalog /usr/lib/systemd/user /usr/lib/systemd/user-preset /usr/share/man
    /usr/share/man/man1 /usr/share/man/man5 /usr/share/man/man8 /usr/share/lintian /usr/share/lintian/overrides
    /usr/share/pam-configs ${CMAKE_INSTALL_FULL_LIBDIR}/security
    /usr/share/locale /usr/share/locale/ja /usr/share/locale/ja/LC_MESSAGES /usr/share/dbus-1
    /usr/share/dbus-1/system.d /usr/share/polkit-1 /usr/share/polkit-1/actions)

# What Debian asks every package to carry.
set(changelog ${CMAKE_BINARY_DIR}/packaging/changelog.gz)
add_custom_command(OUTPUT ${changelog}
    COMMAND gzip --best --no-name --stdout ${debian}/changelog > ${changelog}
    DEPENDS ${debian}/changelog VERBATIM)
add_custom_target(changelog ALL DEPENDS ${changelog})
install(FILES ${changelog} ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${debian}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME sekisho)

include(CPack)
