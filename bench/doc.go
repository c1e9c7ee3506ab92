// Bench measures the example servers beside the best that is known: the echo
// example beside an epoll echo in C (c/epoll_echo.c), the resp example beside
// redis-server.
//
//	go -C bench run .          requests a second, CPU a request
//	go -C bench run . -idle    resident bytes a connection
//	go -C bench run . -resp    beside redis-server, by redis-benchmark
//	go -C bench run . -h       the flags
//
// It needs Linux, two cores, a C compiler named cc and, for -resp,
// redis-server and redis-benchmark.
//
// # How it measures
//
// The server has one core, the load another. The two servers take turns, each
// run with a fresh process, so that a machine that gets slower or faster on its
// way does so for both. The Go server runs with GOMAXPROCS=1, as it has one
// core. What counts is the ratio of the medians: figures of two different
// calls of this program must not be compared.
//
// CPU a request is the time by the server process's own CPU clock, user and
// system, over all requests that it answered. In the echo benchmark the server
// must be the slower side, which "busy" (the server's share of its core, near
// 1) and "slack" (the load's share of time with nothing to do, above 0) show.
// redis-benchmark saturates its core before the server does, so there the rate
// says little, and CPU a request counts. On a machine that does other work too,
// "busy" falls in both benchmarks: the rates then mean nothing, and CPU a
// request is a little too high on both sides.
//
// # Idle connections
//
// With -idle the server runs with its standard settings and on any core. It
// first serves a few connections, which are closed again, so that its code and
// its buffers are resident; that is the empty server. Then the connections are
// opened and each is served once; what the process's resident set grew by,
// divided by their number, is the figure. The kernel's own memory for sockets
// is not in it, for either server.
package main
