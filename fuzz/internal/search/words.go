package search

import (
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// vocabulary has the words that peers of each listener send, and which listeners they dial. It
// is that of the world when a search begins.
type vocabulary struct {
	listeners [][2]uint16 // by listener: the first of its words, and the one behind the last
	dialable  []uint16    // listeners that peers dial
	dialled   []uint16    // words of servers that machines dial
	all       []uint16
}

func newVocabulary(cfg *Config, w *sim.World) (v vocabulary) {
	for l := range w.Listeners() {
		first, last := w.WordsOf(l)
		v.listeners = append(v.listeners, [2]uint16{first, last})
	}
	v.dialable, v.dialled, v.all = w.Dialable(), w.DialledWords(), cfg.Roles.Numbers()
	return v
}

// numbers returns the numbers of all words: a single byte, if there is none.
func (c *Config) numbers() []uint16 {
	r := c.Roles
	if len(r.All) == 0 {
		r.Common = uint16(len(c.Dict))
	}
	if all := r.Numbers(); len(all) > 0 {
		return all
	}
	return []uint16{0}
}

// draw returns the number of a word for a connection, behind the events of a trace; ok is
// false if it has none.
func (v *vocabulary) draw(r *rng, conn uint16, so trace.Trace) (n uint16, ok bool) {
	if int(conn) >= r.cfg.Conns {
		return pick(r, v.dialled)
	}
	for i := len(so) - 1; i >= 0; i-- {
		if e := so[i]; e.Op == trace.Dial && e.On == conn && len(v.listeners) > 0 {
			words := v.listeners[int(e.A)%len(v.listeners)]
			if words[0] == words[1] {
				return 0, false
			}
			return words[0] + uint16(r.IntN(int(words[1]-words[0]))), true
		}
	}
	return pick(r, v.all)
}

func pick(r *rng, words []uint16) (n uint16, ok bool) {
	if len(words) == 0 {
		return 0, false
	}
	return words[r.IntN(len(words))], true
}
