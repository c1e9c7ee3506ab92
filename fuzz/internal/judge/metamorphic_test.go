package judge

import (
	"fmt"
	"strings"
	"testing"
)

// The failure's line shows where two long outputs differ.
func TestExcerpt(t *testing.T) {
	a, b := strings.Repeat("0123456789", 10)+"x", strings.Repeat("0123456789", 10)+"yz"
	at := Parting([]byte(a), []byte(b))
	if got, want := excerpt([]byte(b), at), `…"6789yz" from byte 96 on`; got != want {
		t.Errorf("%s: want %s", got, want)
	}
	if got, want := excerpt([]byte(a[:at]), at), `…"6789" from byte 96 on`; got != want {
		t.Errorf("%s: want %s", got, want)
	}
	if got := fmt.Sprint(Parting(nil, nil), Parting([]byte("ab"), []byte("a")), Parting([]byte("b"), []byte("a"))); got != "0 1 0" {
		t.Errorf("parting at %s: want 0 1 0", got)
	}
}
