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
		switch {
		case len(in) == 0:
		case s.m.Next != nil:
			v, n, ok = s.m.Next(s.state, in, false)
		default:
			v, n, ok = s.m.first(in)
		}
		if !ok || n < 1 {
			break
		}
		in = in[n:]
		reply = append(reply, s.step(v)...)
		over = s.m.over(s.state, s.m.lasts(v))
	}
	s.unread = s.unread[:copy(s.unread, in)]
	return reply, over
}

// step returns the answer to an input: of several outcomes, the first.
func (s *server[S, In]) step(v In) (answer string) {
	if s.m.Steps == nil {
		return s.m.Step(&s.state, v, 0)
	}
	for s.state, answer = range s.m.Steps(s.state, v, Moment{}) {
		break
	}
	return answer
}
