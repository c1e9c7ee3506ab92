package slab_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stator-go/stator/slab"
)

var sink uint64

// populations are the sizes of a busy loop and of a very large one; powers of two.
var populations = []struct {
	name string
	live int
}{{"live=4096", 1 << 12}, {"live=1M", 1 << 20}}

// shuffled fills a slab and returns its tokens in random order. BenchmarkGet and
// BenchmarkMapGet look up the same tokens in the same order.
func shuffled(b *testing.B, live int) (*slab.Slab[header], []slab.Token) {
	s := newSlab[header](b, 0, live)
	tokens := make([]slab.Token, live)
	for i := range tokens {
		token, v := insert(b, s)
		v.n = uint64(i)
		tokens[i] = token
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(live, func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	return s, tokens
}

func BenchmarkGet(b *testing.B) {
	for _, p := range populations {
		b.Run(p.name, func(b *testing.B) {
			s, tokens := shuffled(b, p.live)
			b.ReportAllocs()
			b.ResetTimer()
			sum := uint64(0)
			for i := range b.N {
				if v := s.Get(tokens[i&(len(tokens)-1)]); v != nil {
					sum += v.n
				}
			}
			sink += sum
		})
	}
}

func BenchmarkMapGet(b *testing.B) {
	for _, p := range populations {
		b.Run(p.name, func(b *testing.B) {
			s, tokens := shuffled(b, p.live)
			m := make(map[slab.Token]*header, p.live)
			for token, v := range s.All() {
				m[token] = v
			}
			b.ReportAllocs()
			b.ResetTimer()
			sum := uint64(0)
			for i := range b.N {
				if v := m[tokens[i&(len(tokens)-1)]]; v != nil {
					sum += v.n
				}
			}
			sink += sum
		})
	}
}

// churn is the number of values beside the one that is inserted and removed.
const churn = 4095

func BenchmarkInsertRemove(b *testing.B) {
	s, _ := shuffled(b, churn+1)
	s.Remove(s.TokenAt(churn / 2))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		token, v, err := s.Insert()
		if err != nil {
			b.Fatal(err)
		}
		v.n = uint64(i)
		s.Remove(token)
	}
}

// BenchmarkMapInsertRemove reuses one value, so that it measures the map and no
// allocation.
func BenchmarkMapInsertRemove(b *testing.B) {
	m := make(map[slab.Token]*header, churn+1)
	for i := range uint32(churn) {
		m[slab.MakeToken(1, 0, i)] = &header{}
	}
	v := &header{}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		token := slab.MakeToken(uint32(i)|1, 0, churn)
		v.n = uint64(i)
		m[token] = v
		delete(m, token)
	}
}

func BenchmarkAll(b *testing.B) {
	s, _ := shuffled(b, 1<<12)
	for b.Loop() {
		for _, v := range s.All() {
			sink += v.n
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Len()), "ns/value")
}

func BenchmarkTokenString(b *testing.B) {
	token := slab.MakeToken(5, 3, 17)
	for b.Loop() {
		sink += uint64(len(fmt.Stringer(token).String()))
	}
}
