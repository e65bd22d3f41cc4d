/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and closing ptys: see tty.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tty.h"

static int open_pair(struct tty *tty)
{
	struct termios settings;
	int ret;

	tty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (tty->master < 0)
		return -errno;
	if (grantpt(tty->master) || unlockpt(tty->master))
		return -errno;
	ret = ptsname_r(tty->master, tty->name, sizeof(tty->name));
	if (ret)
		return -ret;
	tty->slave = open(tty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty->slave < 0 || tcgetattr(tty->slave, &settings))
		return -errno;
	/* Raw: an echo would be the guest's output as its input. */
	cfmakeraw(&settings);
	if (tcsetattr(tty->slave, TCSANOW, &settings))
		return -errno;
	return 0;
}

/* The link is made aside and renamed, so that there is always one. */
static int make_link(struct tty *tty, const char *path)
{
	char *aside;
	int ret = 0;

	if (asprintf(&aside, "%s.new", path) < 0)
		return -ENOMEM;
	unlink(aside);
	if (symlink(tty->name, aside) || rename(aside, path))
		ret = -errno;
	free(aside);
	if (ret)
		return ret;
	tty->link = strdup(path);
	return tty->link ? 0 : -ENOMEM;
}

int tty_open(struct tty *tty, const char *link_path)
{
	int ret;

	*tty = (struct tty){.master = -1, .slave = -1};
	ret = open_pair(tty);
	if (!ret && link_path)
		ret = make_link(tty, link_path);
	if (ret)
		tty_close(tty);
	return ret;
}

void tty_close(struct tty *tty)
{
	if (tty->link)
		unlink(tty->link);
	if (tty->slave >= 0)
		close(tty->slave);
	if (tty->master >= 0)
		close(tty->master);
	free(tty->link);
	*tty = (struct tty){.master = -1, .slave = -1};
}

size_t tty_unread(const struct tty *tty)
{
	int count = 0;

	if (ioctl(tty->slave, FIONREAD, &count) < 0 || count < 0)
		return 0;
	return (size_t)count;
}
