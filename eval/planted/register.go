package planted

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// register is a value that all connections share: a digit sets it, '?' reads it.
type register struct {
	plant *Plant
	value *byte
	cache byte // register/stale-read
}

const registerServing = fsm.First

func newRegister() *Server {
	return &Server{
		Name: "register", build: buildRegister,
		Files: []string{"register.go"},
		Dict:  []string{"?", "1", "2"},
		Bugs: []Bug{
			{Name: "register/stale-read", What: "a value that was read once is answered from then on, whatever others have set"},
		},
		model: together[byte, byte]{"one register", fuzz.Model[byte, byte]{
			New:   func() byte { return '0' },
			Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
			Step: func(value *byte, c byte) string {
				if c != '?' {
					*value = c
				}
				return string([]byte{*value})
			},
		}},
	}
}

func buildRegister(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("register", reactor.Options{Ports: []string{"peer"}}, reactor.Table[register, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		registerServing: {Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnReady: (*register).read},
	}))
	return func(r Room) error {
		value := byte('0')
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", register{plant: p, value: &value})
		return err
	}
}

func (g *register) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c := in[0]
	cx.Discard(peer, 1)
	if c == '?' {
		c = *g.value
		if cached := g.cache != 0; cached && g.plant.Wrong("register/stale-read", c != g.cache) {
			c = g.cache
		}
	} else {
		*g.value = c
	}
	g.cache = c
	return cx.Fail(cx.Write(peer, []byte{c}))
}
