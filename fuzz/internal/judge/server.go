package judge

import "github.com/stator-go/stator/fuzz/internal/sim"

// server is a sim.Backend that a Model describes.
type server[S, In any] struct {
	m      Model[S, In]
	state  S
	unread []byte // the beginning of an input
}

// NewServer returns a server for one connection.
func NewServer[S, In any](m Model[S, In]) sim.Backend {
	return &server[S, In]{m: m, state: m.begin()}
}

func (s *server[S, In]) Greets() []byte { return []byte(s.m.Greeting) }

func (s *server[S, In]) Answers(got []byte) (reply []byte, over bool) {
	s.unread = append(s.unread, got...)
	in := s.unread
	for !over {
		v, n, ok := In(*new(In)), 0, false
		if len(in) > 0 {
			v, n, ok = s.m.first(in)
		}
		if !ok {
			break
		}
		in = in[n:]
		reply = append(reply, s.m.Step(&s.state, v)...)
		over = s.m.Over != nil && s.m.Over(s.state)
	}
	s.unread = s.unread[:copy(s.unread, in)]
	return reply, over
}
