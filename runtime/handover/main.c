// SPDX-License-Identifier: Apache-2.0
/*
 * The command `tidegate`, as it is installed. Node takes longer to start than a change takes, so where tidegated follows a store
 * on this node, `tidegate apply` is handed over to it. The daemon answers what it has done, and nothing else: where there is no
 * such answer, whatever the reason, the command runs as all others do, and says itself what is wrong.
 */
#include <endian.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "frame.h"

#define STATE_DIR "/run/tidegate"
#define SOCKET "commands"
/* Of the SHA-256 in dist/bin/build. */
#define BUILD_SIZE 64

/* A file of dist/bin, which lies beside this program's folder's own one. */
static int built_file(char path[PATH_MAX], const char *name)
{
	char self[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (size < 0)
		return -1;
	self[size] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return snprintf(path, PATH_MAX, "%s/../../bin/%s", self, name) < PATH_MAX ? 0 : -1;
}

/* The last one counts, as for the command itself. */
static const char *state_dir(int argc, char **argv)
{
	static const char option[] = "--state-dir";
	const size_t length = sizeof(option) - 1;
	const char *found = STATE_DIR;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], option) == 0 && i + 1 < argc)
			found = argv[i + 1];
		else if (strncmp(argv[i], option, length) == 0 && argv[i][length] == '=')
			found = argv[i] + length + 1;
	}
	return found;
}

static int connect_to_daemon(const char *folder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int size = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET, folder);
	int fd;

	if (size < 0 || (size_t)size >= sizeof(address.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether two names are of one file, or of one namespace. */
static int is_same(const char *one, const char *other)
{
	struct stat first, second;

	return stat(one, &first) == 0 && stat(other, &second) == 0 &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/*
 * An answer is this user's word, or anybody could say in root's terminal that a change has been made; and devices, paths and users
 * must mean to the daemon what they mean here.
 */
static int is_own_daemon(int fd)
{
	static const char *const kinds[] = { "ns/mnt", "ns/net", "ns/user", "root" };
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid <= 0 ||
	    peer.uid != geteuid())
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char own[64], theirs[64];

		snprintf(own, sizeof(own), "/proc/self/%s", kinds[i]);
		snprintf(theirs, sizeof(theirs), "/proc/%d/%s", peer.pid, kinds[i]);
		if (!is_same(own, theirs))
			return 0;
	}
	return 1;
}

/* As most programs see it: https://no-color.org */
static int shows_colors(void)
{
	const char *off = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (off && *off)
		return 0;
	return isatty(STDOUT_FILENO) && !(terminal && strcmp(terminal, "dumb") == 0);
}

static int read_build(char build[BUILD_SIZE + 1])
{
	char path[PATH_MAX];
	size_t got;
	FILE *file;

	if (built_file(path, "build"))
		return -1;
	file = fopen(path, "re");
	if (!file)
		return -1;
	got = fread(build, 1, BUILD_SIZE, file);
	fclose(file);
	build[got] = '\0';
	return got == BUILD_SIZE ? 0 : -1;
}

static int write_frame(int fd, const char *const *fields, uint32_t count)
{
	size_t size = 2 * sizeof(uint32_t);
	uint32_t word;
	char *frame, *next;
	int status;

	for (uint32_t i = 0; i < count; i++)
		size += sizeof(word) + strlen(fields[i]);
	frame = size <= FRAME_MAX ? malloc(size) : NULL;
	if (!frame)
		return -1;
	word = htole32(size - sizeof(word));
	next = mempcpy(frame, &word, sizeof(word));
	word = htole32(count);
	next = mempcpy(next, &word, sizeof(word));
	for (uint32_t i = 0; i < count; i++) {
		word = htole32(strlen(fields[i]));
		next = mempcpy(next, &word, sizeof(word));
		next = mempcpy(next, fields[i], strlen(fields[i]));
	}
	status = write_all(fd, frame, size);
	free(frame);
	return status;
}

/* runtime/daemon/commands.ts reads it: build, working directory, colors, steps, and the command's words. */
static int write_request(int fd, int argc, char **argv)
{
	const char *fields[FIELDS_MAX];
	char build[BUILD_SIZE + 1];
	char cwd[PATH_MAX];
	uint32_t count = 0;

	if (argc + 3 > FIELDS_MAX || read_build(build) || !getcwd(cwd, sizeof(cwd)))
		return -1;
	fields[count++] = build;
	fields[count++] = cwd;
	fields[count++] = shows_colors() ? "colors" : "";
	/* On a terminal they would be gone by now. */
	fields[count++] = isatty(STDERR_FILENO) ? "" : "steps";
	for (int i = 1; i < argc; i++)
		fields[count++] = argv[i];
	return write_frame(fd, fields, count);
}

/*
 * Prints what the daemon has done: "done", for standard output, for standard error. Returns the exit code, or -1 where it has done
 * nothing.
 */
static int print_answer(int fd)
{
	struct frame answer;
	int status = -1;

	if (frame_read(fd, &answer) == FRAME_READ && answer.count == 3 &&
	    strcmp(answer.fields[0].data, "done") == 0) {
		const struct field *out = &answer.fields[1], *error = &answer.fields[2];
		int failed = write_all(STDERR_FILENO, error->data, error->size);

		failed |= write_all(STDOUT_FILENO, out->data, out->size);
		status = failed ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	frame_free(&answer);
	return status;
}

static int hand_over(int argc, char **argv)
{
	int fd, status = -1;

	if (argc < 2 || strcmp(argv[1], "apply") != 0 || geteuid() != 0)
		return -1;
	fd = connect_to_daemon(state_dir(argc, argv));
	if (fd < 0)
		return -1;
	if (is_own_daemon(fd) && write_request(fd, argc, argv) == 0)
		status = print_answer(fd);
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	char command[PATH_MAX];
	__sighandler_t before;
	int status;

	/* A daemon that ends meanwhile is no reason to. */
	before = signal(SIGPIPE, SIG_IGN);
	status = hand_over(argc, argv);
	if (status >= 0)
		return status;
	signal(SIGPIPE, before);
	if (built_file(command, "tidegate.js") == 0)
		execv(command, argv);
	perror("tidegate: cannot run dist/bin/tidegate.js");
	return 127;
}
