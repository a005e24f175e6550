/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_PRETEND_H
#define TIDEGATE_PRETEND_H

/*
 * A kernel that does nothing, and succeeds or fails as the input decides: what a request asks for can
 * be decoded and tried without a machine that it is done to. Included before every file of the
 * program under test, whose system calls it redirects; libbpf and libnftables are not linked at all.
 */

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* From here on the choices are those of this input. */
void pretend_begin(const uint8_t *data, size_t size);

/* Closes what the program keeps open on purpose. */
void pretend_end(void);

int pretend_open(const char *path, int flags, ...);
int pretend_call(void);
int pretend_setns(void);
int pretend_ftruncate(int fd);
int pretend_index(const char *name);
int pretend_socket(void);
ssize_t pretend_send(const void *data, size_t size);
ssize_t pretend_recv(void *data, size_t size);
ssize_t pretend_readlink(const char *path, char *text, size_t size);

#ifndef PRETEND_ITSELF
#define open(...) pretend_open(__VA_ARGS__)
#define mkdir(path, mode) ((void)(path), (void)(mode), pretend_call())
#define rmdir(path) ((void)(path), pretend_call())
#define unlink(path) ((void)(path), pretend_call())
#define ioctl(fd, what, data) ((void)(fd), (void)(what), (void)(data), pretend_call())
#define flock(fd, how) ((void)(fd), (void)(how), pretend_call())
#define mount(...) pretend_call()
#define umount2(...) pretend_call()
#define unshare(flags) ((void)(flags), pretend_call())
#define setns(fd, kind) ((void)(fd), (void)(kind), pretend_setns())
#define ftruncate(fd, size) ((void)(size), pretend_ftruncate(fd))
#define if_nametoindex(name) ((unsigned int)pretend_index(name))
#define socket(family, type, protocol) ((void)(family), (void)(type), (void)(protocol), pretend_socket())
#define setsockopt(fd, level, name, value, size) ((void)(fd), (void)(value), pretend_call())
#define send(fd, data, size, flags) ((void)(fd), pretend_send(data, size))
#define recv(fd, data, size, flags) ((void)(fd), pretend_recv(data, size))
#define readlink(path, text, size) pretend_readlink(path, text, size)
#endif

#endif
