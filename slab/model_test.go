package slab_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stator-go/stator/slab"
)

// model applies each operation to a slab and to a map that keeps every token, and
// compares all results.
type model struct {
	t       testing.TB
	s       *slab.Slab[uint64]
	owner   uint8
	live    map[slab.Token]uint64
	order   []slab.Token // the live tokens, to pick one at random
	stale   []slab.Token
	ever    map[slab.Token]bool
	serial  uint64
	retired int // number of slots
}

func newModel(t testing.TB, owner uint8, capacity int) *model {
	return &model{
		t: t, s: newSlab[uint64](t, owner, capacity), owner: owner,
		live: make(map[slab.Token]uint64), ever: make(map[slab.Token]bool),
	}
}

func (m *model) insert() {
	token, v, err := m.s.Insert()
	if full := len(m.live)+m.retired == m.s.Cap(); full || err != nil {
		if !full || !errors.Is(err, slab.ErrFull) || token != 0 || v != nil {
			m.t.Fatalf("Insert with %d live, %d retired of %d = %v, %v", len(m.live), m.retired, m.s.Cap(), token, err)
		}
		return
	}
	if token.Owner() != m.owner || token.Generation()&1 == 0 || int(token.Index()) >= m.s.Cap() || m.ever[token] {
		m.t.Fatalf("Insert returned the token %v (returned before: %v)", token, m.ever[token])
	}
	if *v != 0 {
		m.t.Fatalf("Insert returned the value %d, want 0", *v)
	}
	m.serial++
	*v = m.serial
	m.live[token] = m.serial
	m.order = append(m.order, token)
	m.ever[token] = true
}

func (m *model) remove(i int) {
	token := m.order[i]
	if !m.s.Remove(token) {
		m.t.Fatalf("Remove(%v) of a live value = false", token)
	}
	m.order[i] = m.order[len(m.order)-1]
	m.order = m.order[:len(m.order)-1]
	delete(m.live, token)
	m.stale = append(m.stale, token)
	if token.Generation() == math.MaxUint32 {
		m.retired++
	}
}

// age moves a live value to one of the last generations of its slot.
func (m *model) age(i int, lives uint32) {
	old := m.order[i]
	token := m.s.Age(old, max(old.Generation(), math.MaxUint32-2*lives))
	if token == old {
		return
	}
	m.order[i] = token
	m.live[token] = m.live[old]
	delete(m.live, old)
	m.stale = append(m.stale, old)
	m.ever[token] = true
}

// probe looks up a value, which need not be a token.
func (m *model) probe(token slab.Token) {
	want, ok := m.live[token]
	got := m.s.Get(token)
	if (got != nil) != ok || ok && *got != want {
		m.t.Fatalf("Get(%v) found a value: %v, want %v", token, got != nil, ok)
	}
	if token.Owner() == m.owner {
		if m.s.Find(token.Generation(), token.Index()) != got {
			m.t.Fatalf("Find and Get of %v differ", token)
		}
	}
	if ok {
		if m.s.TokenAt(token.Index()) != token || m.s.At(token.Index()) != got {
			m.t.Fatalf("TokenAt or At of %v is wrong", token)
		}
	} else if m.s.Remove(token) {
		m.t.Fatalf("Remove(%v) of a token that is not live = true", token)
	}
}

func (m *model) check() {
	if m.s.Len() != len(m.live) || m.s.Retired() != m.retired {
		m.t.Fatalf("Len, Retired = %d, %d; want %d, %d", m.s.Len(), m.s.Retired(), len(m.live), m.retired)
	}
	n, next := 0, uint32(0)
	for token, v := range m.s.All() {
		if want, ok := m.live[token]; !ok || *v != want || token.Index() < next {
			m.t.Fatalf("All yields %v with %d, want %d", token, *v, want)
		}
		next = token.Index() + 1
		n++
	}
	if n != len(m.live) {
		m.t.Fatalf("All yields %d values, want %d", n, len(m.live))
	}
	if !m.s.FreeListOK() {
		m.t.Fatal("the free list does not match the slots")
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := newModel(t, uint8(rng.Uint32()), 1+rng.IntN(200))
		for step := range 20_000 {
			// The share of inserts varies, so that the slab is full at times and
			// empty at others.
			inserts := 3 + step/2000%5
			switch n := rng.IntN(20); {
			case n < inserts:
				m.insert()
			case n < 10 && len(m.order) > 0:
				m.remove(rng.IntN(len(m.order)))
			case n < 13 && len(m.order) > 0:
				m.probe(m.order[rng.IntN(len(m.order))])
			case n < 16 && len(m.stale) > 0:
				m.probe(m.stale[rng.IntN(len(m.stale))])
			case n < 18:
				m.probe(slab.Token(rng.Uint64()))
			default: // nearly valid: right owner, small generation, index near the end
				m.probe(slab.MakeToken(rng.Uint32N(64), m.owner, rng.Uint32N(uint32(m.s.Cap())+2)))
			}
			if step%1000 == 0 {
				if seed%2 == 1 && len(m.order) > 0 {
					m.age(rng.IntN(len(m.order)), rng.Uint32N(3))
				}
				m.check()
			}
		}
		if seed%2 == 1 && m.retired == 0 {
			t.Errorf("seed %d: no slot was retired", seed)
		}
	}
}

// FuzzSlab runs its input as a program. An instruction is an operation and an
// operand of one byte each; a probe of an arbitrary value has eight more bytes.
func FuzzSlab(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 0, 2, 0, 3, 0})
	f.Add([]byte{0, 0, 5, 0, 1, 0, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newModel(t, 0, 5)
		for len(program) >= 2 {
			op, n := program[0], int(program[1])
			program = program[2:]
			switch op % 6 {
			case 0:
				m.insert()
			case 1:
				if len(m.order) > 0 {
					m.remove(n % len(m.order))
				}
			case 2:
				if len(m.order) > 0 {
					m.probe(m.order[n%len(m.order)])
				}
			case 3:
				if len(m.stale) > 0 {
					m.probe(m.stale[n%len(m.stale)])
				}
			case 4:
				if len(program) >= 8 {
					m.probe(slab.Token(binary.LittleEndian.Uint64(program)))
					program = program[8:]
				}
			case 5:
				if len(m.order) > 0 {
					m.age(n%len(m.order), uint32(n>>4))
				}
			}
		}
		m.check()
	})
}
