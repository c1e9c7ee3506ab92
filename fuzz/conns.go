package fuzz

import (
	"cmp"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// Conn is a connection of a run, for a judge of one's own: see [Conns]. Times are on the world's
// clock, which begins at 1 h, where tables of a run say 0s; 0 is for what has not happened.
type Conn struct {
	Number  int         // as in reports; several connections of a run may have the same, one after the other
	Addr    driver.Addr // that the peer, or the machine, dialled
	Dialled bool        // a machine dialled it
	Machine int         // the same for all connections and attempts of one machine; 0: no machine took it
	Kind    string      // of the machine

	Sent, Got  []Piece       // by the peer
	Dial       time.Duration // when the machine began to dial it
	Begin      time.Duration // when it was connected, or refused, or the machine gave up
	HalfClosed time.Duration // when the peer half-closed it
	Closed     time.Duration // when the peer closed or reset it
	Ended      time.Duration // when the machine ended or half-closed it
	Reset      bool          // the peer got a reset
	Cause      reactor.Event // what its machine got last when it ended it: EventReady, EventShutdown, or EventFail after IO.Fail

	Refused bool          // a machine's attempt, and nothing else: it was refused
	GaveUp  bool          // the same, but the machine gave up before there was an answer
	Pending bool          // the same, but the machine still waits for the answer: Begin is Dial
	Slack   time.Duration // how much later than it should a machine may act, because of faults and Spec.Patience
	Whole   bool          // it is open in both directions, and nothing hinders what is due
}

// Piece is what arrived at once. What a machine writes at once may come in several.
type Piece struct {
	Time  time.Duration
	Bytes string
}

// Text returns the bytes of some pieces.
func Text(pieces []Piece) string {
	var all []byte
	for _, p := range pieces {
		all = append(all, p.Bytes...)
	}
	return string(all)
}

// Conns returns an Oracle of one's own. The function wrong is called when the faults of a run
// have ceased and all is at rest, with all connections of the run, in the order in which they
// began, and the time. Connections that machines dialled are among them, and their attempts to
// connect. It returns what is wrong, or an empty string. If something is, machines get
// Spec.Patience, and the function is called again, as long as peers get more. [Oracle.At] limits
// it to the connections to one address.
//
// A run with more than 1,000 connections is not judged.
func Conns(name string, wrong func(conns []Conn, now time.Duration) string) Oracle {
	if wrong == nil {
		panic("fuzz: Conns \"" + name + "\": wrong is nil: want a function that returns what is wrong with the connections of a run")
	}
	return Oracle{judge.Conns(name, func(all []judge.History, now int64) string {
		machines := make(map[uint64]int)
		conns := make([]Conn, len(all))
		for i := range all {
			conns[i] = connOf(&all[i], machines)
		}
		slices.SortStableFunc(conns, func(a, b Conn) int { return cmp.Compare(a.Begin, b.Begin) })
		return wrong(conns, time.Duration(now))
	})}
}

// Redials returns an Oracle that judges when a client dials again, after its connection has ended,
// was refused, or did not come about. The function wait returns how long it must wait. n is how
// often it has waited before, at most 29: since a connection that was good, as the function good
// reports, or since it began. For example, for 100 ms, doubled each time up to 5 s:
//
//	fuzz.Redials("backoff", func(n int) (least, most time.Duration) {
//		d := min(100*time.Millisecond<<n, 5*time.Second)
//		return d, d
//	}, func(c fuzz.Conn) bool { return strings.HasPrefix(fuzz.Text(c.Sent), "welcome\n") })
//
// The client must not dial as long as its connection is open, and it must dial again, unless it
// was told to shut down. Where a machine may not have read what its peer sent last, the
// connection may be good or not; where faults may have delayed it, it may be later. All machines
// that dial are taken for one client: use [Oracle.At] if they dial several addresses. Name
// look-ups that fail are not counted.
func Redials(name string, wait func(n int) (least, most time.Duration), good func(Conn) bool) Oracle {
	b := judge.Backoff{Wait: wait}
	if good != nil {
		b.Good = func(h *judge.History) bool { return good(connOf(h, make(map[uint64]int))) }
	}
	return Oracle{judge.Redials(name, b)}
}

func connOf(h *judge.History, machines map[uint64]int) Conn {
	c := Conn{Number: h.Conn, Addr: h.Addr, Dialled: h.Dialled, Kind: h.Kind, Reset: h.Reset, Whole: h.Whole && h.Finished == 0, Refused: h.Refused, GaveUp: h.GaveUp, Pending: h.Pending,
		Sent: pieces(h.Sent, h.SentAt), Got: pieces(h.Got, h.GotAt),
		Dial: time.Duration(h.Dial), Begin: time.Duration(h.Began), HalfClosed: time.Duration(h.Finished), Closed: time.Duration(h.Closed), Ended: time.Duration(h.Over),
		Cause: h.Cause, Slack: time.Duration(h.Slack)}
	if c.Ended == 0 {
		c.Ended = time.Duration(h.GotEnd)
	}
	if h.Machine != 0 {
		if machines[h.Machine] == 0 {
			machines[h.Machine] = len(machines) + 1
		}
		c.Machine = machines[h.Machine]
	}
	return c
}

func pieces(b []byte, stamps []judge.Stamp) (all []Piece) {
	from := 0
	for _, s := range stamps {
		all = append(all, Piece{time.Duration(s.Time), string(b[from:s.Bytes])})
		from = s.Bytes
	}
	return all
}
