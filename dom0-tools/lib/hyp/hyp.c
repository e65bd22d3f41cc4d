/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handle on /dev/xen/privcmd, memory that hypercalls may point to, and the raw call.
 * What is called is in domain.c, system.c, memory.c and version.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/internal.h"

#include <xen/sys/privcmd.h>

static size_t round_to_page(size_t size)
{
	return (size + HYP_PAGE_SIZE - 1) & ~(HYP_PAGE_SIZE - 1);
}

int hyp_buf_alloc(struct hyp *hyp, struct hyp_buf *buf, size_t size)
{
	int error;

	*buf = (struct hyp_buf){0};
	if (size == 0 || size > SIZE_MAX / 2)
		return -EINVAL;
	size = round_to_page(size);
	if (hyp->buf_fd >= 0) {
		void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, hyp->buf_fd, 0);

		if (data != MAP_FAILED) {
			*buf = (struct hyp_buf){.data = data, .size = size};
			return 0;
		}
	}
	buf->data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (buf->data == MAP_FAILED) {
		error = -errno;
		buf->data = NULL;
		return error;
	}
	/* A fork would make the pages copy-on-write and move them under a running hypercall. */
	if (madvise(buf->data, size, MADV_DONTFORK) < 0) {
		error = -errno;
		munmap(buf->data, size);
		buf->data = NULL;
		return error;
	}
	buf->size = size;
	return 0;
}

void hyp_buf_free(struct hyp_buf *buf)
{
	if (buf->data)
		munmap(buf->data, buf->size);
	*buf = (struct hyp_buf){0};
}

void *hyp_array_get(struct hyp *hyp, struct hyp_buf *own, size_t size)
{
	*own = (struct hyp_buf){0};
	if (size <= hyp->array_size)
		return hyp->array;
	if (hyp_buf_alloc(hyp, own, size) < 0)
		return NULL;
	return own->data;
}

int hyp_open(struct hyp **out)
{
	struct hyp *hyp;
	int error;

	hyp = calloc(1, sizeof(*hyp));
	if (!hyp)
		return -ENOMEM;
	hyp->fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (hyp->fd < 0) {
		error = -errno;
		goto free_hyp;
	}
	hyp->buf_fd = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	error = hyp_buf_alloc(hyp, &hyp->scratch, HYP_SCRATCH_SIZE);
	if (error)
		goto close_fds;
	hyp->op = hyp->scratch.data;
	hyp->array = (char *)hyp->scratch.data + HYP_PAGE_SIZE;
	hyp->array_size = hyp->scratch.size - HYP_PAGE_SIZE;
	*out = hyp;
	return 0;

close_fds:
	if (hyp->buf_fd >= 0)
		close(hyp->buf_fd);
	close(hyp->fd);
free_hyp:
	free(hyp);
	return error;
}

void hyp_close(struct hyp *hyp)
{
	if (!hyp)
		return;
	hyp_buf_free(&hyp->scratch);
	if (hyp->buf_fd >= 0)
		close(hyp->buf_fd);
	close(hyp->fd);
	free(hyp);
}

long hyp_call(struct hyp *hyp, unsigned int op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
	      uint64_t a5)
{
	struct privcmd_hypercall call = {.op = op, .arg = {a1, a2, a3, a4, a5}};
	int result = ioctl(hyp->fd, IOCTL_PRIVCMD_HYPERCALL, &call);

	/* The kernel hands the hypervisor's -E through as its own; the numbers are the same. */
	return result < 0 ? -errno : result;
}
