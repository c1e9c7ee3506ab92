package right

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// names is a server of datagrams: "set name value" and "get name".
type names struct{ values map[string]string }

type namesCx = reactor.Context[reactor.None]

const namesSocket reactor.Port = 0

func newNames() *reactor.Kind[names, reactor.None] {
	return reactor.Must(reactor.NewKind("names", reactor.Options{Ports: []string{"socket"}},
		reactor.Table[names, reactor.None]{
			fsm.Any:   {Shutdown: fsm.Stop},
			fsm.First: {Name: "serving", Wait: namesSocket.Readable(), Idle: fsm.Never, OnReady: (*names).serve},
		}))
}

func (s *names) serve(cx *namesCx, _ reactor.Ready) fsm.State {
	var b [512]byte
	n, from, err := cx.ReadFrom(namesSocket, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	reply := "error"
	switch w := strings.Fields(string(b[:n])); {
	case len(w) == 3 && w[0] == "set" && len(s.values) < 100:
		s.values[w[1]] = w[2]
		reply = "set " + w[1]
	case len(w) == 2 && w[0] == "get":
		reply = fmt.Sprintf("%s is %q", w[1], s.values[w[1]])
	}
	cx.SendTo(namesSocket, []byte(reply), from) // what is lost is the client's to ask again
	return fsm.Stay
}

// wrongReplies checks that replies name what was asked for, and that values are some that
// might have been set.
func wrongReplies(sent, got []string) string {
	for _, g := range got {
		if err := wrongReply(sent, g); err != nil {
			return err.Error()
		}
	}
	return ""
}

func wrongReply(sent []string, reply string) error {
	for _, s := range sent {
		w := strings.Fields(s)
		switch {
		case len(w) == 3 && w[0] == "set":
			if reply == "set "+w[1] {
				return nil
			}
		case len(w) == 2 && w[0] == "get":
			if strings.HasPrefix(reply, w[1]+" is ") {
				return nil
			}
		case reply == "error":
			return nil
		}
	}
	if len(sent) == 0 {
		return errors.New("a reply to nothing")
	}
	return fmt.Errorf("%q is no reply to %q", reply, sent)
}

func datagramsSpec() fuzz.Spec {
	kind := newNames()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "udp", "127.0.0.1:53", names{map[string]string{}})
			return err
		},
		Dict:    []string{"set a 1", "set a 2", "get a", "get b", "what"},
		Oracles: []fuzz.Oracle{fuzz.Datagrams("replies", wrongReplies)},
	}
}
