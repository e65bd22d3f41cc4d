#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# dom0 reboots the machine, and it comes up again: the lab waits for the second start.
#
# lab: --end reboot
# lab: --end reboot -M pc

. /lab/lib.sh
ok "dom0 is up and asks for a reboot" true
done_testing
