// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "namespace.h"

static int enter(const char *path, struct answer *answer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int status = 0;

	if (fd < 0)
		return fail(answer, errno, "cannot open the network namespace %s", path);
	if (setns(fd, CLONE_NEWNET))
		status = fail(answer, errno, "cannot enter the network namespace %s", path);
	close(fd);
	return status;
}

int within_namespace(const char *path, int (*work)(void *context, struct answer *answer),
		     void *context, struct answer *answer)
{
	int home, status;

	if (path[0] == '\0')
		return work(context, answer);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return fail(answer, errno, "cannot open the own network namespace");
	if (enter(path, answer)) {
		close(home);
		return -1;
	}
	status = work(context, answer);
	/* Anything done from here in the wrong namespace would hit a customer: rather end. */
	if (setns(home, CLONE_NEWNET))
		die("cannot return from the network namespace %s: %s", path, strerror(errno));
	close(home);
	return status;
}
