// Bench measures each example server beside the best server of its kind, in the same
// run: the echo example beside an epoll server in C (c/epoll_echo.c), the resp example
// beside redis-server.
//
//	go -C bench run .          requests per second, CPU per request
//	go -C bench run . -idle    resident bytes per connection
//	go -C bench run . -resp    beside redis-server, with redis-benchmark as load
//	go -C bench run . -h       the flags
//	go -C bench run ./soak -h  a mixed load for an hour, and what is left after it
//
// It needs Linux, two cores, a C compiler named cc and, for -resp, redis-server and
// redis-benchmark. It is a module of its own; go.mod names the example servers as its
// tools, so the go command builds them from the root of the repository.
//
// # How it measures
//
// The server is pinned to one core and the load to another. The two servers run
// alternately, each time as a fresh process, so that a machine that becomes slower or
// faster does so for both. The Go server runs with GOMAXPROCS=1, as it has one core.
// The result is the ratio of the medians. Do not compare the figures of two
// invocations: the machine may differ.
//
// CPU per request is the CPU time of the server process, user and system, divided by
// the number of requests that it answered. In the echo benchmark the server must be
// the slower side. The column "busy" is the server's share of its core and must be
// near 1; "slack" is the share of time in which the load had nothing to do and must be
// above 0. redis-benchmark saturates its core before the server does, so with -resp the
// rate says little and CPU per request is the figure to look at. If the machine does
// other work too, "busy" falls in both benchmarks: the rates then mean nothing, and
// CPU per request is a little too high for both servers.
//
// # Idle connections
//
// With -idle the server runs with its default settings and on any core. It first
// serves a few connections, which are then closed, so that its code and its buffers are
// resident: this is the size of the empty server. Then all connections are opened and
// each is served once. The result is the growth of the process's resident set divided
// by the number of connections. It excludes the kernel's memory for sockets, for both
// servers.
package main
