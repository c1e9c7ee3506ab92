package fuzz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// A judge of one's own sees which connections belong to one machine, and what they sent and got.
func TestConns(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	passesOn := func(conns []Conn, now time.Duration) string {
		if !slices.IsSortedFunc(conns, func(a, b Conn) int { return cmp.Compare(a.Begin, b.Begin) }) || now < time.Hour {
			return fmt.Sprintf("at %v: %+v", now, conns)
		}
		for _, front := range conns {
			seen["a refusal"] = seen["a refusal"] || front.Refused && front.Addr.String() == "10.0.0.1:80" && front.Begin == front.Ended
			for _, back := range conns {
				if front.Dialled || !back.Dialled || front.Machine == 0 || front.Machine != back.Machine {
					continue
				}
				seen["a pair"] = true
				seen["a reset"] = seen["a reset"] || front.Reset
				seen["an end"] = seen["an end"] || front.Ended > front.Begin
				seen["a shutdown"] = seen["a shutdown"] || front.Ended > 0 && front.Cause == reactor.EventShutdown
				seen["a deadline"] = seen["a deadline"] || front.Ended > 0 && front.Cause == reactor.EventIdle
				if now < front.Ended || front.Slack <= 0 {
					return fmt.Sprintf("connection %+v: want when it is judged", front)
				}
				if front.Kind != "proxy" || back.Begin < front.Begin {
					return fmt.Sprintf("connections %+v and %+v", front, back)
				}
				sent, got := Text(front.Sent), Text(back.Got)
				if !strings.HasPrefix(sent, got) || front.Whole && back.Whole && got != sent {
					return fmt.Sprintf("the target of connection %d gets %.20q, and %.20q was sent", front.Number, got, sent)
				}
			}
		}
		return ""
	}
	spec := func(wrong string) Spec {
		s := proxySpec(wrong)
		s.Oracles = []Oracle{Conns("passes on", passesOn)}
		return s
	}
	if found := Find(spec(""), 1, Budget{Runs: testenv.Pick(200, 1000)}); found.Failure != nil || !seen["a pair"] || !seen["an end"] || !seen["a refusal"] || !seen["a shutdown"] || !seen["a deadline"] {
		t.Error(seen, found.Explain())
	}
	found := Find(spec("changes a byte"), 1, Budget{Runs: 5000})
	if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), `model "passes on": the target of connection `) {
		t.Error(found.Explain())
	}
	silent := spec("")
	silent.Oracles = []Oracle{Conns("none", func(conns []Conn, _ time.Duration) string { return fmt.Sprint(len(conns), " connections") }).At(":7001")}
	if found := Find(silent, 1, Budget{Runs: 1}); found.Failure == nil || found.Failure.Text != "0 connections" {
		t.Error("connections to another address:", found.Failure)
	}
}
