package judge

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/stator-go/stator/reactor"
)

// Backoff says when a client dials again.
type Backoff struct {
	// Wait returns how long it waits. n is how often it has waited since a connection that was
	// good, or since it began.
	Wait func(n int) (least, most time.Duration)
	// Good reports whether waits are short again after a connection.
	Good func(h *History) bool
}

// Redials returns an Oracle that judges when the client of an address dials again.
func Redials(title string, b Backoff) Oracle {
	require(b.Wait != nil, "Redials", title, "wait", "a function that returns how long a client waits before it dials again")
	require(b.Good != nil, "Redials", title, "good", "a function that reports whether waits are short again after a connection")
	return ownJudge{named{title}, b.judge, b.due}
}

// mostWaited is how many waits in a row are counted: they should not grow any more then, and one
// that doubles from 10 s does not overflow.
const mostWaited = 30

// waited are the numbers of waits in a row that are possible, as bits: it is not always known
// what a client has read.
type waited uint64

func (w waited) least() int { return bits.TrailingZeros64(uint64(w)) }
func (w waited) most() int  { return bits.Len64(uint64(w)) - 1 }

// judge follows the attempts of a client.
func (b Backoff) judge(conns []History, now int64) string {
	text, _ := b.follow(conns, now)
	return text
}

// due returns when the client must have dialled again; 0: it need not.
func (b Backoff) due(conns []History, now int64) (by int64) {
	_, by = b.follow(conns, now)
	return by
}

func (b Backoff) follow(conns []History, now int64) (text string, by int64) {
	var last *History
	count := waited(1)
	for _, h := range attempts(conns) {
		if last != nil {
			if text, count = b.redials(last, h, count); text != "" {
				return text, 0
			}
			count = (count<<1 | count&(1<<(mostWaited-1))) & (1<<mostWaited - 1)
		}
		count, last = b.after(h, count), h
	}
	if last == nil || last.Over == 0 || last.Pending || last.Cause == reactor.EventShutdown {
		return "", 0
	}
	_, most := b.Wait(count.most())
	if by = last.Over + int64(most) + last.Late; now > by {
		text = fmt.Sprintf("does not dial %v again until %v: its last attempt ended at %v: want a wait of %s", last.Addr, clock(now), clock(last.Over), b.waits(count))
	}
	return text, by
}

// attempts returns those of a run's machines, in the order in which they began.
func attempts(conns []History) (all []*History) {
	for i := range conns {
		if conns[i].Dialled {
			all = append(all, &conns[i])
		}
	}
	slices.SortStableFunc(all, func(x, y *History) int { return cmp.Compare(x.Dial, y.Dial) })
	return all
}

// redials compares when an attempt began with when the one before it ended. It returns the
// numbers of waits that fit.
func (b Backoff) redials(last, h *History, count waited) (text string, fit waited) {
	first := last.end()
	if first == 0 || first > h.Dial {
		return fmt.Sprintf("dials %v at %v: its connection of %v is open", h.Addr, clock(h.Dial), clock(last.Dial)), 0
	}
	for n := range mostWaited {
		least, most := b.Wait(n)
		late := last.Over > 0 && h.Dial > last.Over+int64(most)+last.Late
		if count&(1<<n) != 0 && !late && h.Dial+h.Resolution >= first+int64(least) {
			fit |= 1 << n
		}
	}
	if fit == 0 {
		text = fmt.Sprintf("dials %v at %v, %v after its last attempt ended: want a wait of %s", h.Addr, clock(h.Dial), time.Duration(h.Dial-cmp.Or(last.Over, first)), b.waits(count))
	}
	return text, fit
}

// end returns when a client can have known first that a connection, or an attempt, is over; 0: it
// is not.
func (h *History) end() (first int64) {
	for _, at := range []int64{h.Over, h.Finished, h.Closed, h.GotEnd} {
		if at > 0 && (first == 0 || at < first) {
			first = at
		}
	}
	return first
}

// after returns how often a client may have waited when an attempt ends.
func (b Backoff) after(h *History, count waited) waited {
	switch {
	case h.Refused || h.GaveUp || h.Pending || !b.Good(h):
	case b.Good(h.before(h.end() - h.Late)): // the machine has read that, for certain
		return 1
	default:
		count |= 1
	}
	if h.Late > h.Resolution { // attempts may have failed without a connection
		count |= 1<<mostWaited - 1<<count.least()
	}
	return count
}

// before returns the history with what the peer had sent before some time.
func (h *History) before(at int64) *History {
	b, n := *h, 0
	for n < len(h.SentAt) && h.SentAt[n].Time < at {
		n++
	}
	if b.Sent, b.SentAt = nil, h.SentAt[:n]; n > 0 {
		b.Sent = h.Sent[:h.SentAt[n-1].Bytes]
	}
	return &b
}

// waits describes how long a client waits.
func (b Backoff) waits(count waited) string {
	least, _ := b.Wait(count.least())
	_, most := b.Wait(count.most())
	text := least.String()
	if most > least {
		text += " to " + most.String()
	}
	if count.least() < count.most() {
		return fmt.Sprintf("%s, as n is %d to %d", text, count.least(), count.most())
	}
	return fmt.Sprintf("%s, as n is %d", text, count.least())
}
