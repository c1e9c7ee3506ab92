package search

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// The traces of a soak: ordinary conversations, without faults, many times. Which words
// make a conversation is found by trying: from each state that a machine rests in, each
// word of the dictionary is sent.

const (
	mostSpots   = 24  // states from which words are tried
	mostTries   = 600 // words that are tried
	mostTalks   = 24  // conversations of a round, beside those drawn at random
	drawnTalks  = 8
	leastRounds = 256     // enough to see what grows
	mostEvents  = 40_000  // of all rounds, if those are more
	repeats     = 16      // of a word, after which a connection that is open counts as lasting
	messages    = 66_000  // of one word on one connection: more than 16 bits count
	mostTalk    = 1 << 25 // of those
)

// Soak makes the traces of a soak.
type Soak struct {
	cfg   Config
	w     *sim.World
	run   func(trace.Trace) (fails bool)
	rng   *rand.Rand
	look  look
	tries []attempt
}

// spot is a state in which a machine rests after some words.
type spot struct {
	listener uint16
	words    []uint16
	look
}

// look is what a connection looks like from outside.
type look struct {
	open     bool
	kind     string
	state    reactor.State
	answered bool // the last word was
	got      int  // bytes in all
}

// attempt is a word that was tried at a spot.
type attempt struct {
	spot
	word  uint16
	after look
}

// NewSoak tries words in a world. run runs a trace there. The tries end early if one fails:
// that is returned.
func NewSoak(cfg Config, w *sim.World, seed uint64, run func(trace.Trace) bool) (s *Soak, failing trace.Trace) {
	s = &Soak{cfg: cfg, w: w, run: run, rng: rand.New(rand.NewPCG(seed, 1))}
	w.Attach(s)
	defer w.Detach(s)
	return s, s.explore()
}

// Wants is part of sim.Observer.
func (s *Soak) Wants() []sim.What { return []sim.What{sim.EventOver} }

// Observe is part of sim.Observer. It keeps what connection 0 looks like after an event.
func (s *Soak) Observe(o *sim.Observation) {
	if o.Stage != sim.StageEvents {
		return
	}
	c := s.w.Conn(0)
	now := look{open: c.Established(), got: len(c.Got), answered: len(c.Got) > s.look.got}
	if m := s.w.Owner(0); m != nil && m.Kind != nil {
		now.kind, now.state = m.Kind.Name(), m.State
	}
	s.look = now
}

// explore tries each word at each spot.
func (s *Soak) explore() (failing trace.Trace) {
	if failing = s.try(nil); failing != nil || s.w.Listeners() == 0 || s.cfg.Faults.Off(trace.Dial) || s.cfg.Faults.Off(trace.Send) {
		return failing
	}
	var spots []spot
	dialable := s.w.Dialable()
	for _, l := range dialable[:min(len(dialable), mostSpots/2)] {
		spots = append(spots, spot{listener: l})
	}
	seen := make(map[look]bool)
	for at := 0; at < len(spots) && at < mostSpots; at++ {
		p := spots[at]
		for first, last := s.w.WordsOf(int(p.listener)); first < last; first++ {
			if len(s.tries) == mostTries {
				return nil
			}
			next := append(slices.Clip(p.words), first)
			if failing = s.try(p.dial(0, next)); failing != nil {
				return failing
			}
			s.tries = append(s.tries, attempt{p, first, s.look})
			place := s.look
			if place.got = int(p.listener); place.open && !seen[place] {
				seen[place] = true
				spots = append(spots, spot{p.listener, next, s.look})
			}
		}
	}
	return nil
}

func (s *Soak) try(tr trace.Trace) (failing trace.Trace) {
	if s.look = (look{}); s.run(tr) {
		return tr
	}
	return nil
}

// dial returns the events of a connection that sends words.
func (p *spot) dial(conn int, words []uint16) trace.Trace {
	tr := trace.Trace{{Op: trace.Dial, On: uint16(conn), A: p.listener}}
	for _, word := range words {
		tr = append(tr, trace.Event{Op: trace.Send, On: uint16(conn), A: word})
	}
	return tr
}

// Churn returns a trace in which connections come, send words and go, again and again. Six
// minutes pass between two rounds, so that what is kept for a day ends in the longer trace.
func (s *Soak) Churn() trace.Trace {
	var tr trace.Trace
	n := 0
	for _, a := range s.talks() {
		conn := n % s.cfg.Conns
		tr = append(tr, s.leave(conn, n)...)
		tr = append(tr, a.dial(conn, append(slices.Clip(a.words), a.word))...)
		n++
	}
	for range min(drawnTalks, n) {
		conn := n % s.cfg.Conns
		tr = append(tr, s.leave(conn, n)...)
		p := s.tries[s.rng.IntN(len(s.tries))].spot
		first, last := s.w.WordsOf(int(p.listener))
		var words []uint16
		for range 1 + s.rng.IntN(6) {
			words = append(words, first+uint16(s.rng.IntN(int(last-first))))
		}
		tr = append(tr, p.dial(conn, words)...)
		n++
	}
	tr = append(tr, s.peers()...)
	for conn := range min(n, s.cfg.Conns) {
		tr = append(tr, s.leave(conn, conn)...)
	}
	if len(tr) == 0 {
		return nil
	}
	tr = append(tr, trace.Event{Op: trace.Advance, A: 6, B: 4})
	tr = slices.DeleteFunc(tr, s.cfg.Faults.OffEvent)
	return append(tr, trace.Event{Op: trace.Repeat, B: uint16(max(leastRounds, min(4*leastRounds, mostEvents/len(tr))))})
}

// Longer returns a trace with four times as many rounds.
func Longer(tr trace.Trace) trace.Trace {
	out := slices.Clone(tr)
	for i := range out {
		if out[i].Op == trace.Repeat {
			out[i].B = uint16(min(4*int(out[i].B), trace.MaxArg))
		}
	}
	return out
}

// talks returns the conversations of a round: all of them, or some that are drawn.
func (s *Soak) talks() []attempt {
	all := slices.Clone(s.tries)
	s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b attempt) int { return cmp.Compare(b.worth(), a.worth()) })
	return all[:min(len(all), mostTalks)]
}

// worth is how much of a protocol a conversation shows.
func (a *attempt) worth() (n int) {
	if a.after.open {
		n++
	}
	if a.after.answered {
		n++
	}
	return n
}

// leave returns how a connection goes: now so, now otherwise.
func (s *Soak) leave(conn, n int) trace.Trace {
	ways := slices.DeleteFunc([]trace.Op{trace.Finish, trace.Close, trace.Reset}, s.cfg.Faults.Off)
	if len(ways) == 0 {
		return nil
	}
	how := ways[n/s.cfg.Conns%len(ways)]
	tr := trace.Trace{{Op: how, On: uint16(conn)}}
	if how == trace.Finish {
		tr = append(tr, trace.Event{Op: trace.Close, On: uint16(conn)})
	}
	return tr
}

// peers returns what happens to connections that machines began, and to datagram sockets.
func (s *Soak) peers() (tr trace.Trace) {
	for i, word := range s.w.DialledWords() {
		on := uint16(s.cfg.Conns + i%s.cfg.Conns)
		tr = append(tr, trace.Event{Op: trace.Send, On: on, A: word})
	}
	for i, word := range s.cfg.numbers() {
		on := uint16(s.cfg.Conns + i%s.cfg.Conns)
		if s.w.Found().Datagrams {
			tr = append(tr, trace.Event{Op: trace.Datagram, On: on, A: word})
		}
	}
	for i := range s.cfg.Conns {
		tr = append(tr, trace.Event{Op: trace.Close, On: uint16(s.cfg.Conns + i)})
	}
	return tr
}

// Talks yields traces in which one connection sends a word until 16 bits do not count the
// messages any more: one for each word after which a connection stays open, and short ones
// that get an answer first.
func (s *Soak) Talks(yield func(trace.Trace) bool) {
	talked := make(map[uint16]bool)
	all := slices.DeleteFunc(slices.Clone(s.tries), func(a attempt) bool { return !a.after.open })
	slices.SortStableFunc(all, func(a, b attempt) int {
		return cmp.Or(cmp.Compare(b.worth(), a.worth()), cmp.Compare(a.cost(s.cfg.Dict), b.cost(s.cfg.Dict)))
	})
	for _, a := range all {
		if talked[a.word] || messages*a.cost(s.cfg.Dict) > mostTalk || !s.lasts(a) {
			continue
		}
		talked[a.word] = true
		atOnce := min(64, max(1, 8<<10/a.cost(s.cfg.Dict)))
		tr := a.dial(0, a.words)
		tr = append(tr, trace.Event{Op: trace.Send, A: a.word, B: uint16(atOnce - 1)},
			trace.Event{Op: trace.Repeat, A: 1, B: uint16(messages / atOnce)})
		if !yield(tr) {
			return
		}
	}
}

// cost is how many bytes a word and its answer have.
func (a *attempt) cost(d trace.Dictionary) int {
	return len(d.Word(a.word)) + max(0, a.after.got-a.got)
}

// lasts reports whether a connection stays open if it sends a word again and again.
func (s *Soak) lasts(a attempt) bool {
	s.w.Attach(s)
	defer s.w.Detach(s)
	tr := append(a.dial(0, a.words), slices.Repeat(trace.Trace{{Op: trace.Send, A: a.word}}, repeats)...)
	return s.try(tr) == nil && s.look.open
}
