package reactor_test

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// A listener with a full backlog drops the packets of further connections: its address does
// not answer. The next address of the name does.
func TestDialLeavesASilentAddress(t *testing.T) {
	addr := echoServer(t, "tcp4", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(addr)
	num, _ := strconv.Atoi(port)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	silent := [4]byte{127, 0, 0, 2}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: silent, Port: num}), unix.Listen(fd, 0)); err != nil {
		t.Skip(err) // another program has the port there
	}
	for range 4 { // fill the backlog
		if c, err := net.DialTimeout("tcp4", "127.0.0.2:"+port, 20*time.Millisecond); err == nil {
			defer c.Close()
		}
	}
	newNameServer(t, "127.0.0.2", "127.0.0.1")
	begin := time.Now()
	got := dialOnce(t, netLoop(t, reactor.Config{}), caller{network: "tcp4", addr: "two.test:" + port, say: "hello", within: 400 * time.Millisecond})
	if got.heard != "hello" || got.err != nil {
		t.Errorf("%+v after %v", got, time.Since(begin))
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("connected after %v: the first address was not tried for its share", took)
	}
}
