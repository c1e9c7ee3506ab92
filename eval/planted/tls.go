package planted

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// tls is a server with a handshake like that of TLS. A record is a type, a length and
// bytes. The peer sends a hello and then a finished record, in time; then its data is
// sent back. The reply to an unexpected record is an alert, the last record.
type tls struct {
	plant *Plant
	model tlsModel
	born  time.Duration
	quiet silence
}

const (
	tlsHello    = fsm.First + iota // awaits a hello
	tlsFinished                    // awaits a finished record
	tlsOpen
	tlsLate
)

const (
	tlsHandshake = 10 * time.Second
	tlsSilence   = time.Minute
)

// Types of records.
const (
	recordHello    = 1
	recordFinished = 2
	recordData     = 3
	recordAlert    = 4
)

func newTLS() *Server {
	return &Server{
		Name: "tls", isolated: true, build: buildTLS,
		Files: []string{"tls.go"},
		Dict:  []string{"\x01\x01\x03", "\x02\x00", "\x03\x05hello", "\x03\x00", "\x01\x01\x03\x02\x00", "\x04\x00", "\x01", "\x09\x01a"},
		Bugs: []Bug{
			{Name: "tls/early-data", What: "data is accepted before the handshake ends"},
			{Name: "tls/deadline-kept", What: "the handshake's deadline is not cancelled when it ends"},
			{Name: "tls/finish-skipped", What: "a hello is enough for the handshake"},
			{Name: "tls/half-header", What: "a record's length is read when only its type has come"},
			{Name: "tls/empty-record", What: "a record without bytes is not consumed"},
			{Name: "tls/second-hello", What: "a hello is answered at any time"},
			{Name: "tls/data-after-alert", What: "after the peer's alert its records are answered"},
		},
		model: inputs[tlsModel, record]{"records", fuzz.Model[tlsModel, record]{
			New:   func() tlsModel { return tlsModel{state: tlsHello} },
			Input: readRecord,
			Step:  (*tlsModel).step,
		}},
	}
}

func buildTLS(p *Plant) func(Room) error {
	in, wait := fsm.To(tlsHello, tlsFinished), peer.Readable().While(peer.Room())
	if p.Bug == "tls/deadline-kept" {
		in |= fsm.To(tlsOpen)
	}
	k := reactor.Must(reactor.NewKind("tls", reactor.Options{Ports: []string{"peer"},
		Timers: []reactor.TimerSpec{{Name: "handshake", In: in}}}, reactor.Table[tls, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnReady: (*tls).read, OnTimer: (*tls).tooLate,
			To: fsm.To(tlsLate)},
		tlsHello:    {Name: "hello", Wait: wait, Within: fsm.Never, OnEnter: (*tls).start, To: fsm.To(tlsFinished)},
		tlsFinished: {Name: "finished", Wait: wait, Within: fsm.Never, To: fsm.To(tlsOpen)},
		tlsOpen:     {Name: "open", Wait: wait, Idle: fsm.After(tlsSilence, tlsLate)},
		tlsLate:     {Name: "late", OnEnter: (*tls).late, Within: fsm.After(time.Second, fsm.Stop)},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", tls{plant: p, model: tlsModel{state: tlsHello}})
		return err
	}
}

func (t *tls) start(cx *cx) fsm.State {
	t.born = cx.Now()
	return cx.Fail(cx.Arm(0, tlsHandshake))
}

func (t *tls) tooLate(*cx, reactor.Fired) fsm.State { return tlsLate }

// late ends a slow peer.
func (t *tls) late(cx *cx) fsm.State {
	open, quiet := t.model.state == tlsOpen, cx.Now()-t.quiet.since
	t.plant.Wrong("tls/deadline-kept", open && quiet < tlsSilence)
	claim(!open || quiet >= tlsSilence, "a peer ended for its silence was silent for %v: %v was allowed", quiet, tlsSilence)
	return fsm.Stop
}

func (t *tls) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	t.quiet.ends(cx, len(in))
	if half := len(in) == 1; t.plant.Wrong("tls/half-header", half) && half {
		_ = in[1]
	}
	r, n, ok := readRecord(in)
	if !ok {
		return fsm.Stay
	}
	if empty := r.data == "" && r.kind == recordData; t.plant.Wrong("tls/empty-record", empty) && empty {
		n = 0
	}
	cx.Discard(peer, n)
	t.quiet.left -= n
	return t.answer(cx, r)
}

// answer sends the model's reply to a record and enters the model's state, except for
// bugs.
func (t *tls) answer(cx *cx, r record) fsm.State {
	before := t.model.state
	if early := r.kind == recordData && before != tlsOpen; t.plant.Wrong("tls/early-data", early) && early {
		return cx.Fail(cx.Write(peer, recordOf(recordData, r.data)))
	}
	if again := r.kind == recordHello && before == tlsOpen; t.plant.Wrong("tls/second-hello", again) && again {
		return cx.Fail(cx.Write(peer, recordOf(recordHello, "OK")))
	}
	if err := cx.Write(peer, []byte(t.model.step(r))); err != nil {
		return cx.Fail(err)
	}
	switch {
	case t.model.over && r.kind == recordAlert:
		if t.plant.Wrong("tls/data-after-alert", true) {
			t.model = tlsModel{state: before}
			return fsm.Stay
		}
		return fsm.Stop
	case t.model.over:
		return fsm.Stop
	case t.model.state == before:
		return fsm.Stay
	}
	t.model.state = swap(t.plant, "tls/finish-skipped", tlsOpen, t.model.state)
	return t.model.state
}

// record is a received record.
type record struct {
	kind byte
	data string
}

func readRecord(in []byte) (r record, n int, ok bool) {
	if len(in) < 2 || len(in) < 2+int(in[1]) {
		return r, 0, false
	}
	n = 2 + int(in[1])
	return record{in[0], string(in[2:n])}, n, true
}

func recordOf(kind byte, data string) []byte {
	return fmt.Appendf([]byte{kind, byte(len(data))}, "%s", data)
}

// tlsModel is the state of a connection.
type tlsModel struct {
	state fsm.State
	over  bool
}

func (m *tlsModel) step(r record) string {
	switch {
	case m.over:
		return ""
	case m.state == tlsHello && r.kind == recordHello && r.data >= "\x03":
		m.state = tlsFinished
		return string(recordOf(recordHello, "OK"))
	case m.state == tlsFinished && r.kind == recordFinished:
		m.state = tlsOpen
		return string(recordOf(recordFinished, ""))
	case m.state == tlsOpen && r.kind == recordData:
		return string(recordOf(recordData, r.data))
	}
	m.over = true
	if r.kind == recordAlert {
		return ""
	}
	return string(recordOf(recordAlert, "\x0a"))
}
