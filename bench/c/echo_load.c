/*
 * echo_load: the load for both echo servers.
 *
 *     echo_load -connect PORT [-conns 100] [-size 64] [-seconds 3]
 *
 * One thread plays ping-pong on every connection: a message goes out, its echo
 * comes back and is compared byte by byte, the next message goes out. Each
 * connection has one message on its way at any time.
 *
 * The load must never limit the rate, so it never sleeps: if epoll reports that
 * nothing is ready, it asks again at once. The share of its time spent in such
 * calls is printed as slack. If it is above zero, the server is the slower side.
 *
 * Prints one "name value" per line: requests (of the measured seconds), seconds,
 * rate, slack, p50-us, p99-us, p999-us, max-us, and total: all requests since
 * the start, by which the server's CPU time is to be divided.
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MOST_CONNS = 10000,
	MOST_SIZE = 16 << 10,
	EVENTS_A_TURN = 256,
	DRAIN_MS = 5000,
};

static const int64_t WARM_UP_NS = 300 * 1000 * 1000;

struct conn {
	int fd;
	int received;     /* bytes of the echo so far */
	uint64_t number;  /* of the message on its way; its first bytes */
	int64_t sent_ns;
	char *message;
};

/*
 * Latencies are counted in buckets of a sixteenth of an octave:
 *
 *     bucket = octave:6 | sixteenth:4     value ~ (16 + sixteenth) << octave-1 ns
 *
 * so a percentile has an error of at most 1/16, whatever its size.
 */
enum { SIXTEENTHS = 16, BUCKETS = 64 * SIXTEENTHS };
static uint64_t latency[BUCKETS];
static int64_t slowest_ns;

static struct conn *conns;
static int conn_count = 100, size = 64, seconds = 3, port;
static int epoll_fd;
static uint64_t requests, total;

static void die(const char *what)
{
	fprintf(stderr, "echo_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int bucket_of(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 0;
	if (v < SIXTEENTHS)
		return (int)v;
	int octave = 63 - __builtin_clzll(v) - 3;
	return octave * SIXTEENTHS + (int)(v >> (octave - 1)) - SIXTEENTHS;
}

static double bucket_us(int bucket)
{
	int octave = bucket / SIXTEENTHS, sixteenth = bucket % SIXTEENTHS;
	if (octave == 0)
		return sixteenth / 1e3;
	return (double)((uint64_t)(SIXTEENTHS + sixteenth) << (octave - 1)) / 1e3;
}

static double percentile_us(double share)
{
	uint64_t wanted = (uint64_t)((double)requests * share), seen = 0;
	for (int b = 0; b < BUCKETS; b++) {
		seen += latency[b];
		if (seen > wanted)
			return bucket_us(b);
	}
	return (double)slowest_ns / 1e3;
}

/* Sends the connection's next message; its number makes it unlike the one before. */
static void ping(struct conn *c, int64_t now)
{
	c->number++;
	memcpy(c->message, &c->number, size < 8 ? (size_t)size : 8);
	c->received = 0;
	c->sent_ns = now;
	ssize_t n = send(c->fd, c->message, (size_t)size, MSG_NOSIGNAL);
	if (n < 0)
		die("send");
	if (n != size) {
		fprintf(stderr, "echo_load: sent %zd of %d bytes into an empty socket\n", n, size);
		exit(1);
	}
}

/* Reads what has arrived of the echo. Returns 1 if it is complete. */
static int pong(struct conn *c)
{
	static char echo[MOST_SIZE];
	/* One byte more than expected, to detect a server that adds bytes. */
	ssize_t n = recv(c->fd, echo, (size_t)(size - c->received) + (size < MOST_SIZE), 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		die("recv");
	if (n == 0) {
		fprintf(stderr, "echo_load: the server closed a connection\n");
		exit(1);
	}
	if (n > size - c->received || memcmp(echo, c->message + c->received, (size_t)n) != 0) {
		fprintf(stderr, "echo_load: connection %td, message %llu: the echo differs\n",
			c - conns, (unsigned long long)c->number);
		exit(1);
	}
	c->received += (int)n;
	return c->received == size;
}

static void connect_all(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	conns = calloc((size_t)conn_count, sizeof *conns);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (conns == NULL || epoll_fd < 0)
		die("start");
	for (int i = 0; i < conn_count; i++) {
		struct conn *c = &conns[i];
		int one = 1;
		c->message = malloc((size_t)size);
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->message == NULL || c->fd < 0)
			die("connection");
		for (int b = 0; b < size; b++)
			c->message[b] = (char)(i * 31 + b);
		if (connect(c->fd, (struct sockaddr *)&addr, sizeof addr) < 0)
			die("connect");
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) < 0)
			die("epoll_ctl");
	}
}

/* Reads the last echo of every connection, so that no request is cut off. */
static void drain(int open)
{
	struct epoll_event events[EVENTS_A_TURN];
	while (open > 0) {
		int n = epoll_wait(epoll_fd, events, EVENTS_A_TURN, DRAIN_MS);
		if (n <= 0) {
			fprintf(stderr, "echo_load: %d echoes never came\n", open);
			exit(1);
		}
		for (int i = 0; i < n; i++) {
			if (pong(events[i].data.ptr)) {
				total++;
				open--;
			}
		}
	}
}

/* Counts an echo that arrived at now; those of the warm-up count in total only. */
static void count(struct conn *c, int64_t now, int measuring)
{
	int64_t took = now - c->sent_ns;
	total++;
	if (!measuring)
		return;
	requests++;
	latency[bucket_of(took)]++;
	if (took > slowest_ns)
		slowest_ns = took;
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		int value = atoi(argv[i + 1]);
		if (strcmp(argv[i], "-connect") == 0)
			port = value;
		else if (strcmp(argv[i], "-conns") == 0)
			conn_count = value;
		else if (strcmp(argv[i], "-size") == 0)
			size = value;
		else if (strcmp(argv[i], "-seconds") == 0)
			seconds = value;
		else
			port = -1;
	}
	if (argc % 2 == 0 || port < 1 || port > 65535 || conn_count < 1 || conn_count > MOST_CONNS ||
	    size < 1 || size > MOST_SIZE || seconds < 1) {
		fprintf(stderr, "usage: echo_load -connect PORT [-conns 1 to %d] [-size 1 to %d] [-seconds N]\n",
			MOST_CONNS, MOST_SIZE);
		return 2;
	}

	connect_all();
	int64_t now = now_ns();
	for (int i = 0; i < conn_count; i++)
		ping(&conns[i], now);

	int64_t begin = now + WARM_UP_NS, end = begin + (int64_t)seconds * 1000000000;
	int64_t idle_ns = 0;
	struct epoll_event events[EVENTS_A_TURN];
	while (now < end) {
		int64_t asked = now;
		int n = epoll_wait(epoll_fd, events, EVENTS_A_TURN, 0);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		now = now_ns();
		int measuring = now >= begin;
		if (n <= 0) {
			if (measuring)
				idle_ns += now - asked;
			continue;
		}
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!pong(c))
				continue;
			now = now_ns();
			count(c, now, measuring);
			ping(c, now);
		}
	}
	double measured = (double)(now - begin) / 1e9;
	drain(conn_count);

	printf("requests %llu\n", (unsigned long long)requests);
	printf("seconds %.3f\n", measured);
	printf("rate %.0f\n", (double)requests / measured);
	printf("slack %.3f\n", (double)idle_ns / 1e9 / measured);
	printf("p50-us %.1f\n", percentile_us(0.50));
	printf("p99-us %.1f\n", percentile_us(0.99));
	printf("p999-us %.1f\n", percentile_us(0.999));
	printf("max-us %.1f\n", (double)slowest_ns / 1e3);
	printf("total %llu\n", (unsigned long long)total);
	return 0;
}
