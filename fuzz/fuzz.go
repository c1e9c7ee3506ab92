package fuzz

import "github.com/stator-go/stator/reactor"

// Spec is what runs are made of.
type Spec struct {
	// Setup wires machines anew for each run, with the calls of production. Kinds
	// are built once, outside.
	Setup func(*World) error
	// Dict are words that peers send, beside single bytes.
	Dict []string

	// Oracles judge runs beside those that every run is judged by.
	Oracles []Oracle
	// Isolated says that no connection's output depends on another one.
	Isolated bool

	Loops   int                     // 1
	Conns   int                     // connections that are dialled at once; 4
	Config  reactor.Config          // of each loop; 64 slots. Driver and Observer are the world's
	Answers func(reactor.Addr) bool // whether machines that dial find a peer there; nil: always
}

func (s Spec) filled() *Spec {
	if s.Loops == 0 {
		s.Loops = 1
	}
	if s.Conns == 0 {
		s.Conns = 4
	}
	if s.Config.Slots == 0 {
		s.Config.Slots = 64
	}
	return &s
}
