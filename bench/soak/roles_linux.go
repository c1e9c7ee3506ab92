package main

import (
	"context"
	"net"
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor"
)

// role is one kind of load.
type role struct {
	name    string
	workers int
	every   time.Duration               // pace of each worker's steps at -rate 1
	serve   func(*server) (load, error) // opens what the load needs on the loops
}

// roles are all that run at once. The latency of the first is printed while they do.
var roles = []role{
	{"ping", 20, 20 * time.Millisecond, echoes("tcp", 512)},
	{"ping, unix", 4, 20 * time.Millisecond, echoes("unix", 4096)},
	{"ping, unixpacket", 4, 20 * time.Millisecond, echoes("unixpacket", 4096)},
	{"bulk echo", 8, 40 * time.Millisecond, echoes("tcp", 64<<10)},
	{"churn, end", 4, 40 * time.Millisecond, churn(end)},
	{"churn, reset", 4, 40 * time.Millisecond, churn(cutOff)},
	{"churn, silence", 40, 100 * time.Millisecond, churn(silence)},
	{"slow readers", 200, 500 * time.Millisecond, slowReaders},
	{"rejected, go on", 4, 10 * time.Millisecond, rejectedUploads},
	{"unread replies", 100, 500 * time.Millisecond, unreadReplies},
	{"early answer", 4, 50 * time.Millisecond, earlyAnswers(false)},
	{"early, relayed", 4, 50 * time.Millisecond, earlyAnswers(true)},
	{"relay, end", 4, 50 * time.Millisecond, relays(end)},
	{"relay, reset", 4, 50 * time.Millisecond, relays(cutOff)},
	{"datagrams", 4, 20 * time.Millisecond, datagrams},
	{"listeners", 5, 20 * time.Millisecond, listeners("tcp")},
	{"listeners, unix", 5, 20 * time.Millisecond, listeners("unix")},
	{"fan-out", 4, 200 * time.Millisecond, fanOut},
	{"monitors", 4, 25 * time.Millisecond, monitors},
	{"timers", 4, 250 * time.Millisecond, timers},
	{"dials", 4, 50 * time.Millisecond, dials},
	{"pipes", 4, 25 * time.Millisecond, pipes},
	{"FIFOs", 2, 50 * time.Millisecond, fifos},
}

// Port peer is the only one of most kinds.
const peer reactor.Port = 0

// peerEnds are the reasons of ends that a peer's reset is expected to have.
var peerEnds = []error{syscall.ECONNRESET, syscall.EPIPE}

// listen lets both loops listen at one address of TCP, and returns it. The kind must have
// ReusePort.
func listen[M, Msg any](s *server, k *reactor.Kind[M, Msg], m M) (string, error) {
	at := "127.0.0.1:0"
	for _, l := range s.loops {
		n, err := k.Listen(l, "tcp", at, m)
		if err != nil {
			return "", err
		}
		at = n.String()
	}
	return at, nil
}

// listenNarrow is listen with narrow sockets.
func listenNarrow[M, Msg any](s *server, k *reactor.Kind[M, Msg], m M) (string, error) {
	at := "127.0.0.1:0"
	for _, l := range s.loops {
		n, err := (&net.ListenConfig{Control: narrow}).Listen(context.Background(), "tcp", at)
		if err != nil {
			return "", err
		}
		at = n.Addr().String()
		if _, err := k.ListenOn(l, n.(*net.TCPListener), m); err != nil {
			n.Close()
			return "", err
		}
	}
	return at, nil
}
