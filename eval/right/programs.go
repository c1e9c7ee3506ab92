package right

import (
	"bytes"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz"
)

// Program is a program without bugs.
type Program struct {
	Name string
	Spec func() fuzz.Spec
}

// Programs returns all programs.
func Programs() []Program {
	return []Program{
		{"relay", relaySpec},
		{"connect", connectSpec},
		{"shipper", shipperSpec},
		{"reconnect", reconnectSpec},
		{"admin", adminSpec},
		{"supervisor", supervisorSpec},
		{"tickets", ticketsSpec},
		{"alarm", alarmSpec},
		{"pubsub", pubsubSpec},
		{"calculator", calculatorSpec},
		{"frames", framesSpec},
		{"count", countSpec},
		{"datagrams", datagramsSpec},
		{"stash", stashSpec},
		{"large", largeSpec},
		{"unix", unixSpec},
		{"signals", signalsSpec},
		{"store", storeSpec},
		{"limiter", limiterSpec},
		{"chat", chatSpec},
		{"locks", locksSpec},
		{"cache", cacheSpec},
		{"register", registerSpec},
		{"filter", filterSpec},
		{"multiplex", multiplexSpec},
		{"farewell", farewellSpec},
		{"lease", leaseSpec},
		{"ticker", tickerSpec},
		{"smtp", smtpSpec},
		{"upload", uploadSpec},
		{"mailbox", mailboxSpec},
		{"socks", socksSpec},
		{"balance", balanceSpec},
		{"sniff", sniffSpec},
		{"fetch", fetchSpec},
		{"fallback", fallbackSpec},
		{"ping", pingSpec},
		{"farm", farmSpec},
		{"retry", retrySpec},
		{"raffle", raffleSpec},
		{"drain", drainSpec},
		{"replicate", replicateSpec},
	}
}

// cutLine returns the first line of in without its end, and its length with the end: 0 if
// the line is incomplete.
func cutLine(in []byte) (line string, n int) {
	n = bytes.IndexByte(in, '\n') + 1
	return string(bytes.TrimSuffix(in[:n], []byte("\n"))), n
}

// inputLine is the Input of models whose requests are lines.
func inputLine(in []byte) (line string, n int, ok bool) {
	line, n = cutLine(in)
	return line, n, n > 0
}

// came returns when a line came for the first and for the last time; 0 if it did not. It may
// have come in several pieces.
func came(pieces []fuzz.Piece, line string) (first, last time.Duration) {
	rest := ""
	for _, p := range pieces {
		rest += p.Bytes
		for {
			l, more, ok := strings.Cut(rest, "\n")
			if !ok {
				break
			}
			if rest = more; l == line {
				last = p.Time
				if first == 0 {
					first = last
				}
			}
		}
	}
	return first, last
}
