// SPDX-License-Identifier: Apache-2.0
/*
 * The eyes of `tidegate watch`: answers requests as the loader does, and between them sends events, of samples of what XDP
 * drops and of traces of what nft decides. All that it puts up goes with it: at the end of its standard input, and
 * when it is killed by what the kernel does then.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "operations.h"

#define RENEW_MS 1000

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Returns whether there may be more to wait for. */
static int work(const struct operation *const groups[])
{
	struct pollfd ready[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = drops_fd(), .events = POLLIN },
		{ .fd = traces_fd(), .events = POLLIN },
	};

	if (poll(ready, sizeof(ready) / sizeof(ready[0]), RENEW_MS) < 0 && errno != EINTR)
		die("cannot wait: %s", strerror(errno));
	if (ready[1].revents)
		drops_forward();
	if (ready[2].revents)
		traces_forward();
	return !ready[0].revents || serve_one(groups, STDIN_FILENO, STDOUT_FILENO) > 0;
}

int main(void)
{
	static const struct operation *const groups[] = { drop_operations, trace_operations, NULL };
	long long renewed = now_ms();

	/* As in serve(): when to end is our parent's to say, also where a terminal goes away. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* However it ends: what samples must not stay where customers' programs look for it. */
	atexit(drops_end);
	while (work(groups)) {
		if (now_ms() - renewed < RENEW_MS)
			continue;
		renewed = now_ms();
		drops_renew();
	}
	return EXIT_SUCCESS;
}
