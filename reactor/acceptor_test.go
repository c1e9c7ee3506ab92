package reactor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// A listener pauses after more than 8 accepts in a row that failed, however many of them
// are in one turn. A connection between them shows that the listener works.
func TestAcceptFailuresInARow(t *testing.T) {
	const connection = true
	fail := make([]bool, 8)
	for _, c := range []struct {
		name     string
		accepts  int
		outcomes []bool // of accepts
		want     uint64 // pauses
	}{
		{"8 in a turn", 64, fail, 0},
		{"9 in a turn", 64, append(fail, false), 1},
		{"9 in 9 turns", 1, append(fail, false), 1},
		{"18 in 18 turns", 1, slices.Repeat(append(fail, false), 2), 2},
		{"8 and 8 in a turn", 64, slices.Concat(fail, []bool{connection}, fail), 0},
		{"8 and 8 in 17 turns", 1, slices.Concat(fail, []bool{connection}, fail), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &flakyListener{fake: newFake(t), outcomes: c.outcomes}
			l := run(t, reactor.Config{Driver: d, Accepts: c.accepts})
			k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
			if _, err := k.Listen(l, "tcp", "127.0.0.1:0", reader{}); err != nil {
				t.Fatal(err)
			}
			for range 3 { // pauses end by the clock
				d.Advance(time.Second)
			}
			s := stats(t, l)
			failed := uint64(len(c.outcomes)) - s.Accepted
			if s.ErrorPauses != c.want || s.AcceptErrors != failed || len(d.outcomes) > 0 {
				t.Errorf("got %d pauses, %d errors, and %d accepts too few: want %d, %d, 0", s.ErrorPauses, s.AcceptErrors, len(d.outcomes), c.want, failed)
			}
		})
	}
}

// flakyListener is a fake with one listener, some of whose connections fail.
type flakyListener struct {
	*fake
	outcomes  []bool // whether the next accepts succeed; then no connection waits
	listening driver.Sock
}

func (d *flakyListener) open() (s driver.Sock) {
	d.NewSocket().Conn().Control(func(id uintptr) { s = driver.Sock(id) })
	return s
}

func (d *flakyListener) Listen(driver.Addr, driver.SocketOptions) (driver.Sock, error) {
	d.listening = d.open()
	return d.listening, nil
}

func (d *flakyListener) Accept(driver.Sock) (driver.Sock, driver.Flow, error) {
	if len(d.outcomes) == 0 {
		return 0, driver.ReadBlocked, nil
	}
	ok := d.outcomes[0]
	if d.outcomes = d.outcomes[1:]; !ok {
		return 0, 0, errno.ECONNABORTED
	}
	return d.open(), 0, nil
}

func (d *flakyListener) Traits(s driver.Sock) driver.Traits {
	if s == d.listening {
		return driver.Listening
	}
	return d.fake.Traits(s)
}

func (d *flakyListener) Addr(driver.Sock, driver.Side) (driver.Addr, error) {
	return driver.Addr{}, nil
}
