package fuzz

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// Spec configures a fuzz test: how machines are set up, what peers send, and what is
// checked. Only Setup is required.
type Spec struct {
	// Setup wires the machines, with the calls of production. It is called before each
	// run. Build kinds once, outside.
	Setup func(*World) error
	// Dict is the dictionary: the texts that peers send, called words, besides single bytes.
	// Long words make runs slow: one that is just over a limit is enough. To test what happens
	// at limits of a kind, build it with small ones, such as a WriteBuffer of 4 KiB.
	Dict []string

	// WordsOnly leaves out single bytes: peers send words of Dict only, for models that cannot
	// take any bytes. They may still arrive in pieces, and a connection may end in one. A trace
	// that is edited, or that shrinking tries, may have bytes.
	WordsOnly bool

	// Oracles judge runs, in addition to the checks that every run gets.
	Oracles []Oracle
	// Backends are servers that machines dial: see Serve. At other addresses machines find a
	// peer that sends what the trace says.
	Backends []Backend
	// Names has the IP addresses of the host names that machines dial. Other names are not found.
	Names map[string][]string
	// Roles say what peers at certain addresses send, and how many there are. See [Role].
	Roles []Role
	// Faults says how frequent kinds of events are: faults, and also what peers do. 0 switches a
	// kind off. With trace.Finish 0, say, no peer half-closes, not even at the end of a run. A
	// trace that is replayed runs as it is.
	Faults trace.Weights
	// Without leaves out checks that do not hold for these machines.
	Without Check
	// Isolated says that no connection's output depends on another connection, neither what
	// it is nor when it comes: nothing that connections share makes them wait for each other.
	// The check "isolation" then fails a run in which it does, unless machines dialled peers
	// in it.
	Isolated bool
	// Pressure says that what a connection gets depends neither on how fast peers read, nor on
	// how much others ask for. The checks "starvation" and "slow peers" then fail runs under
	// pressure in which it does. It is not so for machines that drop output for slow peers,
	// answer that they are busy, or wait for one another.
	Pressure bool
	// Sometimes names conditions that must be true in some run, although it may be that no
	// run reaches their call of Probe.Sometimes. Those that a run reaches need not be named.
	Sometimes []string
	// Report asks for Finding.Report. Runs then take somewhat longer.
	Report bool

	Loops    int                      // number of loops; 0: 1
	Conns    int                      // connections that peers may have open at once; 0: 4
	Patience time.Duration            // how long machines may take, without faults, to give the answers of a PerConn; 0: 1 s
	Config   reactor.Config           // of each loop; Slots 0: 64. Driver and Observer are set by the World
	Answers  func(driver.Addr) Answer // what machines that dial an address find there, if no machine listens; nil: Accepts

	words    trace.Dictionary // of all roles: see playRoles
	roles    sim.Roles
	wrap     func(driver.Driver) driver.Driver // what tests put between a loop and its driver
	progress func(*Finding)                    // called now and then in a long search
}

// Check is a set of checks that [Spec.Without] leaves out. Combine them with |.
type Check uint16

const (
	// Segmentation: the output is the same whether input arrives in one piece or in many.
	// Leave it out if output depends on how input is cut, for example because messages are
	// dropped when many of them come at once.
	Segmentation Check = 1 << iota
	// HangUp: a machine reads all bytes in front of the peer's end that it would have
	// answered without the end. Leave it out if a peer that half-closes is not interested
	// in answers.
	HangUp
	// SpuriousEvents: the output is the same if machines are also called when nothing is
	// ready. Leave it out if output depends on how often they are called.
	SpuriousEvents
	// Deadlines: no machine stays in a state longer than the state's row allows. Leave it
	// out if handlers set longer bounds than the rows with IO.Within.
	Deadlines
	// LostOutput: a machine closes a connection only after what it wrote is sent. Leave it
	// out if handlers call IO.Close to drop output.
	LostOutput
	// LateEnd: a machine whose peers have all ended, and that waits for nothing but their
	// input, ends by itself. Leave it out if machines leave that to Idle or Within.
	LateEnd
	// Leaks: what machines hold, and the Go heap, do not grow with the number of connections.
	// Leave it out if machines keep something for each connection by design, and drop none
	// of it after some thousand connections.
	Leaks
)

// filled returns the Spec with its defaults.
func (s Spec) filled() *Spec {
	if s.Loops == 0 {
		s.Loops = 1
	}
	if s.Conns == 0 {
		s.Conns = 4
	}
	if s.Patience == 0 {
		s.Patience = time.Second
	}
	if s.Config.Slots == 0 {
		s.Config.Slots = 64
	}
	s.words, s.roles = s.Dict, sim.Roles{Common: uint16(len(s.Dict))}
	if len(s.Roles) > 0 && s.checkRoles() == nil {
		s.words, s.roles = s.playRoles()
	}
	return &s
}

// String describes the world that a Spec makes.
func (s *Spec) String() string {
	text := fmt.Sprintf("loops %d, slots %d, connections %d, words %d", s.Loops, s.Config.Slots, s.Conns, len(s.roles.Numbers()))
	if s.Isolated {
		text += ", isolated"
	}
	if s.Pressure {
		text += ", under pressure"
	}
	return text
}

// world is the simulation's part of a Spec.
func (s *Spec) world() sim.Config {
	cfg := sim.Config{Dict: s.words, WordsOnly: s.WordsOnly, Roles: s.roles, Loops: s.Loops, Conns: s.Conns, Loop: s.Config, Peers: s.peers(), Backends: s.backends(), Faults: s.Faults, Names: s.Names, Wrap: s.wrap}
	if s.Setup != nil {
		cfg.Setup = func(w *sim.World) error {
			if err := s.check(); err != nil {
				return err
			}
			return s.Setup(&World{w})
		}
	}
	return cfg
}

// check returns an error if the Spec is not as it must be.
func (s *Spec) check() error {
	if err := s.Faults.Check(); err != nil {
		return fmt.Errorf("Spec.Faults: %w", err)
	}
	return s.checkRoles()
}

// judges is the judge's part of a Spec. A Check has the bits of a judge.Check.
func (s *Spec) judges() judge.Config {
	cfg := judge.Config{Without: judge.Check(s.Without), Isolated: s.Isolated, Pressure: s.Pressure, Conns: s.Conns, Patience: s.Patience, Faults: s.Faults}
	for _, o := range s.Oracles {
		if o.judge != nil {
			cfg.Oracles = append(cfg.Oracles, o.judge)
		}
	}
	return cfg
}

// search is the search's part of a Spec. A Strategy has the number of a search.Strategy.
func (s *Spec) search(how Strategy) search.Config {
	return search.Config{Strategy: search.Strategy(how), Dict: s.words, WordsOnly: s.WordsOnly, Roles: s.roles, Loops: s.Loops, Conns: s.Conns, Faults: s.Faults}
}

// dict returns the dictionary of the traces.
func (s *Spec) dict() trace.Dictionary { return s.words }
