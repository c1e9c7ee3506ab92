package poll_test

import (
	"io"
	"net"
	"testing"
)

// source returns a descriptor that becomes readable when w is written to.
func source(t testing.TB) (w io.Writer, fd int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return s, number(t, c.(*net.TCPConn))
}
