// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "operations.h"

/* Says who holds the lock, as its holder wrote it down. */
static int fail_held(const char *path, int fd, struct answer *answer)
{
	char holder[32] = "";

	if (read(fd, holder, sizeof(holder) - 1) < 0)
		holder[0] = '\0';
	holder[strspn(holder, "0123456789")] = '\0';
	if (holder[0] == '\0')
		return fail(answer, EAGAIN, "another process holds the lock %s", path);
	return fail(answer, EAGAIN, "process %s holds the lock %s", holder, path);
}

/* lock PATH: an exclusive lock until this process ends. */
static int lock(const struct request *request, struct answer *answer)
{
	const char *path = request_text(request, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(answer, errno, "cannot open the lock file %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			fail_held(path, fd, answer);
		else
			fail(answer, errno, "cannot lock %s", path);
		close(fd);
		return -1;
	}
	/* The runtime is our parent: its id is the one that a person can act on. */
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", getppid()) < 0) {
		fail(answer, errno, "cannot write to the lock file %s", path);
		close(fd);
		return -1;
	}
	/* The descriptor stays open on purpose: it is the lock. */
	return 0;
}

const struct operation lock_operations[] = {
	{ "lock", 1, 1, 0, lock },
	{ 0 },
};
