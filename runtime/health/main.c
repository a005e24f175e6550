// SPDX-License-Identifier: Apache-2.0
/*
 * Sends the probes of tidegated into tunnels and tells of what comes back: requests are answered as the loader does, and
 * between them go events. When to probe, and what an answer means, is the daemon's matter.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operations.h"

/* Returns whether there may be more to wait for. */
static int work(const struct operation *const groups[])
{
	struct pollfd ready[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };

	answers_poll(&ready[1]);
	if (poll(ready, sizeof(ready) / sizeof(ready[0]), -1) < 0) {
		if (errno == EINTR)
			return 1;
		die("cannot wait: %s", strerror(errno));
	}
	/* Answers first: what has come by the time of a request came before it. */
	if (ready[1].revents)
		answers_forward(ready[1].fd);
	if (ready[2].revents)
		answers_forward(ready[2].fd);
	return !ready[0].revents || serve_one(groups, STDIN_FILENO, STDOUT_FILENO) > 0;
}

int main(void)
{
	static const struct operation *const groups[] = { answers_operations, own_address_operations,
							 send_operations, NULL };

	/* As in serve(): when to end is our parent's to say. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while (work(groups))
		;
	return EXIT_SUCCESS;
}
