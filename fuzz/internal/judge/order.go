package judge

import "fmt"

// Ordered returns an Oracle that checks that what one connection sends arrives in order at
// each connection.
func Ordered(title string, next func(b []byte) (key string, n int, ok bool)) Oracle {
	require(next != nil, "Ordered", title, "next", "a function that returns the first message of what a connection sent or got")
	return ordered{named{title}, next}
}

type ordered struct {
	named
	next func(b []byte) (key string, n int, ok bool)
}

func (o ordered) Remembers() bool { return true }

// kind is that of its name.
func (o ordered) kind() string { return inOrder }

// message is one of a stream, with where it ends.
type message struct {
	key string
	end int
}

func (o ordered) read(b []byte) (all []message) {
	for at := 0; at < len(b); {
		key, n, ok := o.next(b[at:])
		if !ok {
			break
		}
		if n < 1 || n > len(b)-at {
			panic(fmt.Sprintf("the function of Ordered returned a length of %d for %d bytes", n, len(b)-at))
		}
		at += n
		all = append(all, message{key, at})
	}
	return all
}

const several = -1

// All compares what each connection gets with what each sends. Keys that several send are
// left out: it is not known whose they are.
func (o ordered) All(conns []History) (text string, at Stamp, decided bool) {
	sent, by := make([][]message, len(conns)), make(map[string]int)
	for i := range conns {
		sent[i] = o.read(conns[i].Sent)
		for _, m := range sent[i] {
			if other, known := by[m.key]; known && other != i {
				by[m.key] = several
			} else {
				by[m.key] = i
			}
		}
	}
	for i := range conns {
		if text, at = o.judge(&conns[i], conns, sent, by); text != "" {
			break
		}
	}
	return text, at, true
}

// judge compares what a connection gets with what all have sent: of each sender, some of its
// messages in their order.
func (o ordered) judge(c *History, conns []History, sent [][]message, by map[string]int) (text string, at Stamp) {
	passed, last := make([]int, len(sent)), make([]string, len(sent))
	for _, m := range o.read(c.Got) {
		from, known := by[m.key]
		if !known || from == several {
			continue
		}
		n := passed[from]
		for n < len(sent[from]) && sent[from][n].key != m.key {
			n++
		}
		if n == len(sent[from]) {
			return fmt.Sprintf("connection %d gets %s behind %s, which connection %d sent later, or not so often",
				c.Conn, Brief([]byte(m.key)), Brief([]byte(last[from])), conns[from].Conn), stampAt(c.GotAt, m.end)
		}
		passed[from], last[from] = n+1, m.key
	}
	return "", at
}
