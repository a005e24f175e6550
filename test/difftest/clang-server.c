/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clang that is started once and compiles again and again. More than half of what clang needs for a small
 * program is its own start: tens of thousands of addresses in libLLVM are put right before main() runs. Preloaded
 * into clang (LD_PRELOAD), this stands in the place of its main(). For each line of standard input, a folder and
 * clang's arguments with tabs between them, it forks a process that is ready to go, which runs clang's own main()
 * in the folder; the answer is a line with the exit status.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 64
/* What a shell says of a program that it cannot run. */
#define CANNOT_RUN 127

typedef int (*main_fn)(int argc, char **argv, char **envp);
typedef int (*start_fn)(main_fn entry, int argc, char **argv, void (*init)(void), void (*fini)(void),
			void (*rtld_fini)(void), void *stack_end);

static main_fn clang_main;

static int work(char *line, char *clang)
{
	char *args[MAX_ARGS + 1] = { clang };
	const char *folder = strtok(line, "\t\n");
	int count = 1;

	for (char *word; (word = strtok(NULL, "\t\n")); args[count++] = word)
		if (count == MAX_ARGS)
			return CANNOT_RUN;
	if (!folder || chdir(folder))
		return CANNOT_RUN;
	return clang_main(count, args, environ);
}

static int serve(int argc, char **argv, char **envp)
{
	char *line = NULL;
	size_t room = 0;

	(void)argc;
	(void)envp;
	unsetenv("LD_PRELOAD");
	while (getline(&line, &room, stdin) > 0) {
		int status = -1;
		pid_t worker = fork();

		if (worker == 0)
			return work(line, argv[0]);
		if (worker > 0)
			waitpid(worker, &status, 0);
		printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT_RUN);
		fflush(stdout);
	}
	return 0;
}

/* glibc's start of every program, which is given its main(). */
int __libc_start_main(main_fn entry, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	start_fn start = (start_fn)dlsym(RTLD_NEXT, "__libc_start_main");

	clang_main = entry;
	return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
