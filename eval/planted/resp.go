package planted

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// resp is a server for PING, ECHO, SET and GET in the protocol of Redis, with a store
// per connection.
type resp struct {
	plant  *Plant
	parser respParser
	store  map[string][]byte
}

const respReading = fsm.First

func newResp() *Server {
	return &Server{
		Name: "resp", isolated: true, build: buildResp,
		Files: []string{"resp.go", "respparse.go"},
		Dict: []string{"*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n$12\r\nhello, world\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
			"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "*1\r\n$4\r\nNONE\r\n", "*2\r\n$4\r\nECHO\r\n", "$-5\r\n", "$4294967301\r\nhello\r\n",
			"*1000000\r\n", "*1\r\n$4\r\nPINGxx"},
		Bugs: []Bug{
			{Name: "resp/length-split", What: "a length cut by the end of a read is taken as whole"},
			{Name: "resp/negative-length", What: "a negative length is used as one"},
			{Name: "resp/length-overflow", What: "a length is kept in 32 bits, and wraps"},
			{Name: "resp/count-unbounded", What: "an array may have any number of parts"},
			{Name: "resp/kept-slice", What: "a stored value is a part of the input buffer, not a copy"},
			{Name: "resp/rest-dropped", What: "after an unknown command, what was pipelined behind it is dropped"},
			{Name: "resp/end-unchecked", What: "what stands behind a bulk's bytes is not looked at"},
			{Name: "resp/nil-reply", What: "a value that is not there is answered as an empty one"},
		},
		model: inputs[respModel, command]{"commands", fuzz.Model[respModel, command]{
			New:   func() respModel { return respModel{store: map[string][]byte{}} },
			Input: func(in []byte) (command, int, bool) { return (&respParser{plant: new(Plant)}).command(in) },
			Step:  (*respModel).step,
		}},
	}
}

func buildResp(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("resp", reactor.Options{Ports: []string{"peer"}}, reactor.Table[resp, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		respReading: {Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnEnter: (*resp).start, OnReady: (*resp).read},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", resp{plant: p, parser: respParser{plant: p}})
		return err
	}
}

func (r *resp) start(*cx) fsm.State {
	r.store = make(map[string][]byte)
	return fsm.Stay
}

func (r *resp) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c, n, ok := r.parser.command(in)
	if !ok {
		return fsm.Stay
	}
	m := respModel{store: r.store}
	reply := r.reply(&m, c)
	if unknown := reply == respUnknown; r.plant.Wrong("resp/rest-dropped", unknown && n < len(in)) && unknown {
		n = len(in)
	}
	cx.Discard(peer, n)
	r.parser.half = half{}
	if err := cx.Write(peer, []byte(reply)); err != nil || !m.over {
		return cx.Fail(err)
	}
	return fsm.Stop
}

func (r *resp) reply(m *respModel, c command) string {
	reply := m.step(c)
	if none := reply == respNone; r.plant.Wrong("resp/nil-reply", none) && none {
		return "$0\r\n\r\n"
	}
	if set := !c.bad && len(c.args) == 3 && string(c.args[0]) == "SET"; r.plant.Wrong("resp/kept-slice", set) && set {
		r.store[string(c.args[1])] = c.args[2]
	}
	return reply
}

// respModel is the store of a connection.
type respModel struct {
	store map[string][]byte
	over  bool
}

const (
	respUnknown = "-ERR unknown command\r\n"
	respNone    = "$-1\r\n"
)

func (m *respModel) step(c command) string {
	bulk := func(b []byte) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(b), b) }
	switch {
	case m.over:
		return ""
	case c.bad:
		m.over = true
		return "-ERR protocol\r\n"
	}
	switch name := string(c.args[0]); {
	case name == "PING" && len(c.args) == 1:
		return "+PONG\r\n"
	case name == "ECHO" && len(c.args) == 2:
		return bulk(c.args[1])
	case name == "SET" && len(c.args) == 3:
		m.store[string(c.args[1])] = append([]byte(nil), c.args[2]...)
		return "+OK\r\n"
	case name == "GET" && len(c.args) == 2:
		if b, ok := m.store[string(c.args[1])]; ok {
			return bulk(b)
		}
		return respNone
	}
	return respUnknown
}
