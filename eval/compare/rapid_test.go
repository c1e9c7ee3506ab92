// Package compare searches for the bugs of package planted with a state machine of
// pgregory.net/rapid: peers in memory dial, send, finish and close, and time passes.
// The command eval runs it as a test binary, and stops it at its time limit.
package compare

import (
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stator-go/stator/eval/planted"
)

// room is the state machine: a server in memory, and its peers.
type room struct {
	server *planted.Server
	m      *planted.Memory
	peers  []*planted.Peer
}

// peers is the maximum number of peers in a run.
const peers = 4

// TestRapid searches for the bug that the environment names, as in BUG=server/bug.
// Without one it checks the servers without a bug, where it must find nothing.
func TestRapid(t *testing.T) {
	bug := os.Getenv("BUG")
	name, _, _ := strings.Cut(bug, "/")
	for _, s := range planted.Servers() {
		if name == s.Name || bug == "" {
			t.Run(s.Name, func(t *testing.T) {
				wire := s.Build(&planted.Plant{Bug: bug})
				rapid.Check(t, func(t *rapid.T) { check(t, s, wire) })
			})
		}
	}
}

func check(t *rapid.T, s *planted.Server, wire func(planted.Room) error) {
	m, err := planted.NewMemory(wire)
	if err != nil {
		t.Fatal(err)
	}
	defer m.End()
	r := &room{server: s, m: m}
	t.Repeat(map[string]func(*rapid.T){
		"dial":    r.dial,
		"send":    r.send,
		"finish":  func(t *rapid.T) { r.one(t).Finish() },
		"close":   func(t *rapid.T) { r.one(t).Close() },
		"advance": r.advance,
		"":        r.judge,
	})
	r.over(t)
}

func (r *room) dial(t *rapid.T) {
	if len(r.peers) == peers {
		t.Skip()
	}
	r.peers = append(r.peers, r.m.Dial())
}

// one returns any of the peers.
func (r *room) one(t *rapid.T) *planted.Peer {
	if len(r.peers) == 0 {
		t.Skip()
	}
	return r.peers[rapid.IntRange(0, len(r.peers)-1).Draw(t, "peer")]
}

// send sends words of the dictionary, sometimes in two pieces.
func (r *room) send(t *rapid.T) {
	p := r.one(t)
	word := strings.Join(rapid.SliceOfN(rapid.SampledFrom(r.server.Dict), 1, 4).Draw(t, "words"), "")
	cut := len(word)
	if rapid.Bool().Draw(t, "split") {
		cut = rapid.IntRange(0, len(word)).Draw(t, "cut")
	}
	p.Send([]byte(word[:cut]))
	p.Send([]byte(word[cut:]))
}

func (r *room) advance(t *rapid.T) {
	unit := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute}).Draw(t, "unit")
	r.m.Advance(unit * time.Duration(rapid.IntRange(0, 99).Draw(t, "n")))
}

func (r *room) judge(t *rapid.T) {
	if f := r.m.Fault(); f != "" {
		t.Fatal(f)
	}
	for _, p := range r.peers {
		if text := r.server.Judge(p.Sent(), p.Got(), p.Open()); text != "" {
			t.Fatal(text)
		}
	}
}

// over closes all peers, after which the server must close its ends, too.
func (r *room) over(t *rapid.T) {
	for _, p := range r.peers {
		p.Close()
	}
	r.m.Advance(2 * time.Hour)
	for _, p := range r.peers {
		if !p.Gone() && r.m.Fault() == "" {
			t.Fatal("a peer has closed, and the server keeps its end open")
		}
	}
	r.m.End()
	r.judge(t)
}
