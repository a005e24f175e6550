// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "pin.h"

int set_clock(const struct clock *clock, uint64_t now, struct answer *answer)
{
	__u32 zero = 0;

	if (clock->page)
		*clock->page = now;
	else if (bpf_map_update_elem(clock->map, &zero, &now, BPF_ANY))
		return fail(answer, errno, "cannot set the clock");
	return 0;
}

void close_clock(const struct clock *clock)
{
	if (clock->page)
		munmap((void *)clock->page, sysconf(_SC_PAGESIZE));
	close(clock->map);
}

/* A store into a mapped page instead of a system call for each packet: that is half of a run's time. */
static void map_clock(struct clock *clock)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  clock->map, 0);

	clock->page = page == MAP_FAILED ? NULL : page;
}

/* A clock that is not one u64 would make the kernel read past `now`. */
int open_clock(const char *path, struct clock *clock, struct answer *answer)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	clock->page = NULL;
	clock->map = pin_open(path, PIN_MAP, answer);
	if (clock->map < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(clock->map, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.key_size != sizeof(__u32) || info.value_size != sizeof(uint64_t)) {
		close(clock->map);
		return fail(answer, EINVAL, "%s is not an array of u64", path);
	}
	if (info.map_flags & BPF_F_MMAPABLE)
		map_clock(clock);
	return 0;
}
