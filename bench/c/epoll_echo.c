/*
 * epoll_echo: the echo server that the reactor is measured against.
 *
 *     epoll_echo -listen PORT        (0: the kernel chooses)
 *
 * One thread, one edge-triggered epoll, no allocation until a peer stops
 * reading. A connection costs the kernel's socket and sixteen bytes here; a
 * request costs one recv and one send, and its share of an epoll_wait:
 *
 *   - A read shorter than the buffer has drained the socket, so the read that
 *     would only return EAGAIN is saved. Not so once the peer has hung up or
 *     sent urgent data: then it reads until EAGAIN.
 *   - Interest is registered once, for both directions. An edge in the
 *     direction that is not waited for costs nothing.
 *   - Output that the kernel does not take is kept, and the connection is not
 *     read until it is sent, so a peer that never reads holds at most one
 *     buffer.
 *   - A peer that floods is read READS_PER_TURN times and goes to the back of
 *     the kernel's ready list, so the others are served too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BUFFER_BYTES = 16 << 10,
	EVENTS_A_TURN = 256,
	READS_PER_TURN = 16,
	BACKLOG = 4096,
	MOST_FILES = 1 << 20,
};

static const uint32_t INTEREST = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

/* What a connection could not send yet; data is NULL if there is nothing. */
struct unsent {
	char *data;
	uint32_t start, end;
};

static struct unsent *unsent_of; /* indexed by descriptor; pages untouched until used */
static int epoll_fd, listen_fd;
static int accepting = 1;
static char buffer[BUFFER_BYTES];

static void die(const char *what)
{
	fprintf(stderr, "epoll_echo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch_listener(int op)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = listen_fd};
	if (epoll_ctl(epoll_fd, op, listen_fd, &ev) < 0)
		die("epoll_ctl listener");
	accepting = op == EPOLL_CTL_ADD;
}

static void close_conn(int fd)
{
	free(unsent_of[fd].data);
	unsent_of[fd].data = NULL;
	close(fd);
	if (!accepting)
		watch_listener(EPOLL_CTL_ADD);
}

/* Sends n bytes, and keeps those that the kernel does not take. Returns -1 if the peer is gone. */
static int send_or_keep(int fd, const char *data, size_t n)
{
	ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
	if (sent == (ssize_t)n)
		return 0;
	if (sent < 0) {
		if (errno != EAGAIN)
			return -1;
		sent = 0;
	}
	struct unsent *u = &unsent_of[fd];
	u->data = malloc(BUFFER_BYTES);
	if (u->data == NULL)
		return -1;
	u->start = 0;
	u->end = (uint32_t)(n - (size_t)sent);
	memcpy(u->data, data + sent, u->end);
	return 0;
}

/* Sends what was kept. Returns 1 if all is sent, 0 if not, -1 if the peer is gone. */
static int flush(int fd)
{
	struct unsent *u = &unsent_of[fd];
	while (u->start < u->end) {
		ssize_t sent = send(fd, u->data + u->start, u->end - u->start, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN ? 0 : -1;
		u->start += (uint32_t)sent;
	}
	free(u->data);
	u->data = NULL;
	return 1;
}

/* Makes epoll report the edge again, behind the connections that are ready now. */
static void requeue(int fd)
{
	struct epoll_event ev = {.events = INTEREST, .data.fd = fd};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0)
		die("epoll_ctl requeue");
}

static void serve(int fd, uint32_t ready)
{
	int was_blocked = unsent_of[fd].data != NULL;
	if (was_blocked) {
		int flushed = flush(fd);
		if (flushed < 0)
			close_conn(fd);
		if (flushed <= 0)
			return;
	}
	if (!was_blocked && !(ready & ~(uint32_t)EPOLLOUT))
		return;
	/* Edges that came while output was blocked were dropped: read until EAGAIN. */
	int to_the_end = was_blocked || (ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI));
	for (int reads = 0; reads < READS_PER_TURN; reads++) {
		ssize_t n = recv(fd, buffer, sizeof buffer, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || send_or_keep(fd, buffer, (size_t)n) < 0) {
			close_conn(fd);
			return;
		}
		if (unsent_of[fd].data != NULL)
			return;
		if (n < (ssize_t)sizeof buffer && !to_the_end)
			return;
	}
	requeue(fd);
}

static void accept_all(void)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
				continue;
			if (errno == EAGAIN)
				return;
			if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS)
				die("accept4");
			watch_listener(EPOLL_CTL_DEL); /* until a connection closes */
			return;
		}
		int one = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct epoll_event ev = {.events = INTEREST, .data.fd = fd};
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
			die("epoll_ctl connection");
	}
}

static void listen_on(int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t len = sizeof addr;
	int one = 1;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listen_fd < 0 ||
	    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(listen_fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
	    listen(listen_fd, BACKLOG) < 0 ||
	    getsockname(listen_fd, (struct sockaddr *)&addr, &len) < 0)
		die("listen");
	printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *rest = NULL;
	long port = argc == 3 && strcmp(argv[1], "-listen") == 0 ? strtol(argv[2], &rest, 10) : -1;
	if (rest == NULL || rest == argv[2] || *rest != '\0' || port < 0 || port > 65535) {
		fprintf(stderr, "usage: epoll_echo -listen PORT\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die("getrlimit");
	if (files.rlim_cur > MOST_FILES) {
		files.rlim_cur = MOST_FILES;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			die("setrlimit");
	}
	unsent_of = calloc(files.rlim_cur, sizeof *unsent_of);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (unsent_of == NULL || epoll_fd < 0)
		die("start");
	listen_on((int)port);
	watch_listener(EPOLL_CTL_ADD);

	static struct epoll_event events[EVENTS_A_TURN];
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS_A_TURN, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listen_fd)
				accept_all();
			else
				serve(events[i].data.fd, events[i].events);
		}
	}
}
