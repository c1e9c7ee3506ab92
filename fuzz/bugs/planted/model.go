package planted

import (
	"fmt"
	"strings"

	"github.com/stator-go/stator/fuzz"
)

// model is what a server must answer, whatever its input's type.
type model interface {
	oracle() fuzz.Oracle
	judge(sent, got []byte, whole bool) string
}

// inputs is a model whose inputs are of some type.
type inputs[S, In any] struct {
	name string
	m    fuzz.Model[S, In]
}

func (i inputs[S, In]) oracle() fuzz.Oracle { return fuzz.PerConn(i.name, i.m) }

// judge is fuzz.PerConn's judgement, for those who have no World.
func (i inputs[S, In]) judge(sent, got []byte, whole bool) string {
	var want strings.Builder
	for state := i.m.New(); len(sent) > 0; {
		in, n, ok := i.m.Input(sent)
		if !ok {
			break
		}
		want.WriteString(i.m.Step(&state, in))
		sent = sent[n:]
	}
	if w := want.String(); !strings.HasPrefix(w, string(got)) || whole && len(got) < len(w) {
		return fmt.Sprintf("gets %.200q: want %.200q", got, w)
	}
	return ""
}
