package planted

import (
	"bytes"
	"slices"
	"strings"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor/driver"
)

// The protocol of the hand-written loop. QUIT ends the connection and KICK another one.
// JOB gets a reply at once, and one when the job is done, a turn later. MUCH gets a long
// reply. Any other line is sent back.

const bareLine = 64 // bytes of a line, at most

var bareMuch = strings.Repeat("more and more, ", 30) + "\n"

func newBareServer() *Server {
	return &Server{
		Name: "bare", build: buildBare,
		Files: []string{"bare.go", "barelines.go"},
		Dict:  []string{"hello\n", "QUIT\n", "KICK\n", "JOB\n", "half ", "\n", "MUCH\n", "a\nb\nJOB\nc\n"},
		Bugs:  bareBugs,
		model: inputs[bool, string]{"lines", fuzz.Model[bool, string]{
			New:   func() (over bool) { return false },
			Input: line,
			Step:  bareStep,
		}},
	}
}

var bareBugs = []Bug{
	{Name: "bare/double-close", What: "after a reset the socket is closed, and by its timer again"},
	{Name: "bare/write-after-close", What: "the last reply is written behind the close"},
	{Name: "bare/accept-leak", What: "without a free slot, who was accepted is forgotten and not closed"},
	{Name: "bare/accept-stops", What: "accepting ends for good when it failed once for want of descriptors"},
	{Name: "bare/interest-kept", What: "interest in output stays when there is none: the loop spins"},
	{Name: "bare/spurious-end", What: "a read that finds nothing is taken for the end"},
	{Name: "bare/hang-up-drops", What: "a hang-up closes at once, and what came before it is not read"},
	{Name: "bare/stale-token", What: "an event's generation is not compared: a newcomer in the slot gets it"},
	{Name: "bare/sibling", What: "one event closes another connection, whose own is later in the batch"},
	{Name: "bare/late-timer", What: "a deadline outlives its connection, and ends the newcomer in its slot"},
	{Name: "bare/late-reply", What: "the result of a job goes to the number of a slot, whoever has it"},
	{Name: "bare/rest-lost", What: "what a short write left is dropped"},
	{Name: "bare/sent-twice", What: "after a short write all is sent again"},
	{Name: "bare/short-read", What: "a read that fills less than its buffer is taken as having emptied the kernel's"},
	{Name: "bare/unread-output", What: "input is read on while the output is not taken"},
}

func init() {
	for i := range bareBugs {
		bareBugs[i].Bare = true
	}
}

func buildBare(p *Plant) func(Room) error {
	return func(r Room) (err error) {
		r.Bare(0, func(d driver.Driver) fuzz.BareLoop {
			var b *bare
			b, err = newBare(p, d)
			return b
		})
		return err
	}
}

// line returns the first line of in, or a prefix of a line that is too long.
func line(in []byte) (string, int, bool) {
	if at := bytes.IndexByte(in, '\n'); at >= 0 && at < bareLine {
		return string(in[:at]), at + 1, true
	}
	return string(in[:min(len(in), bareLine)]), len(in), len(in) >= bareLine
}

func bareStep(over *bool, text string) string {
	switch {
	case *over:
		return ""
	case len(text) == bareLine:
		*over = true
		return "too long\n"
	case text == "QUIT":
		*over = true
		return "bye\n"
	case text == "KICK":
		return "kicked\n"
	case text == "JOB":
		return "taken\ndone\n"
	case text == "MUCH":
		return bareMuch
	}
	return text + "\n"
}

// lines serves the complete lines of a connection.
func (b *bare) lines(at int) {
	s := &b.slots[at]
	for !s.closing && !s.working {
		text, n, ok := line(s.in)
		if !ok {
			break
		}
		s.in = slices.Delete(s.in, 0, n)
		b.line(at, text)
		if !s.taken() {
			return
		}
	}
	claim(len(s.out) <= bareMost, "no slot holds more output than %d bytes: this one has %d", bareMost, len(s.out))
	b.write(at)
}

func (b *bare) line(at int, text string) {
	s := &b.slots[at]
	say := func(reply string) { s.out = append(s.out, reply...) }
	switch {
	case len(text) == bareLine:
		say("too long\n")
		s.closing = true
	case text == "QUIT":
		b.quit(at)
	case text == "KICK":
		b.kick(at)
		say("kicked\n")
	case text == "JOB":
		say("taken\n")
		s.working = true
		b.jobs = append(b.jobs, job{at, s.generation})
	case text == "MUCH":
		say(bareMuch)
	default:
		say(text + "\n")
	}
}

func (b *bare) quit(at int) {
	s := &b.slots[at]
	if b.plant.Wrong("bare/write-after-close", true) {
		sock := s.sock
		b.drop(at)
		b.drv.Write(sock, []byte("bye\n"))
		return
	}
	s.out = append(s.out, "bye\n"...)
	s.closing = true
}

// kick closes the next connection after this one.
func (b *bare) kick(at int) {
	for i := 1; i < len(b.slots); i++ {
		if other := (at + i) % len(b.slots); b.slots[other].taken() {
			b.drop(other)
			return
		}
	}
}

// done finishes a job, and serves the lines behind it.
func (b *bare) done(j job) {
	s := &b.slots[j.at]
	stale := s.generation != j.generation
	if !s.taken() || stale && !b.plant.Wrong("bare/late-reply", stale) {
		return
	}
	s.working = false
	s.out = append(s.out, "done\n"...)
	b.lines(j.at)
}
